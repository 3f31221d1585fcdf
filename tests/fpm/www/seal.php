<?php
/** Seals the key of ?from=… for the tenant ?tenant=…, as a site's settings screen does. Answers with the envelope. */

require __DIR__ . '/settings.php';

$from = get_tenant_crm_settings( $_GET['from'] );
echo TenantCRMSync::encrypt_credential( $_GET['tenant'], $from['api_key'], 'api_key', $from['api_endpoint'] );
