<?php
/**
 * The article's function, set-based. Included by Article where the site has none of that name.
 *
 * @package TenantCRM
 */

/**
 * @param int|string      $tenant_id
 * @param iterable<mixed> $leads
 */
function process_crm_leads_for_tenant( $tenant_id, $leads ) {
	if ( is_iterable( $leads ) ) {
		\TenantCRM\Article::store( (string) $tenant_id, $leads );
	}
}
