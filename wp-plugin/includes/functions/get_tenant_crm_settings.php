<?php
/**
 * The article's function, on our table. Included by Article where the site has none of that name.
 *
 * @package TenantCRM
 */

/**
 * @param int|string $tenant_id
 * @return array<string, mixed>|false api_key is an envelope: only the extension can open it.
 */
function get_tenant_crm_settings( $tenant_id ) {
	return \TenantCRM\Article::settings( (string) $tenant_id );
}
