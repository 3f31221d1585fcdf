<?php
/**
 * The article's function, on our table. Included by Article where the site has none of that name.
 *
 * @package TenantCRM
 */

/**
 * @param int|string $tenant_id
 * @param string     $api_key      Plain text; it is sealed before it is stored.
 * @param string     $api_endpoint
 * @throws \InvalidArgumentException|\TenantCRMSync\CredentialException Where it cannot be: nothing is ever stored as plain text.
 */
function save_tenant_crm_settings( $tenant_id, #[\SensitiveParameter] $api_key, $api_endpoint ) {
	\TenantCRM\Tenants::save(
		array(
			'id'       => (string) $tenant_id,
			'api_key'  => (string) $api_key,
			'endpoint' => (string) $api_endpoint,
		)
	);
}
