<?php
/** Seals the plain key of ?tenant=…, as a site's settings screen does. Answers with the envelope. */

require __DIR__ . '/settings.php';

$plain = get_tenant_crm_settings( $_GET['tenant'] );
echo TenantCRMSync::encrypt_credential( $_GET['tenant'], $plain['api_key'], 'api_key', $plain['api_endpoint'] );
