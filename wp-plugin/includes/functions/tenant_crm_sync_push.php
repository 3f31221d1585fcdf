<?php
/**
 * The function by which forms and other code bring a lead in. Included when the plugin loads.
 *
 * @package TenantCRM
 */

if ( ! function_exists( 'tenant_crm_sync_push' ) ) {
	/**
	 * Makes a lead of the portal, or changes the tenant's lead of the same person (by the setting `unique`, the e-mail address by default). It
	 * then goes to the CRM like any change of the portal; nothing here waits for that.
	 *
	 * @param int|string           $tenant Id of the tenant.
	 * @param string               $object `leads`.
	 * @param array<string, mixed> $data   By field of the mapping: name, email, phone and what the tenant's own mapping adds. Empty values change nothing.
	 * @return int|WP_Error The lead's post.
	 */
	function tenant_crm_sync_push( $tenant, string $object, array $data ) {
		try {
			return \TenantCRM\TwoWay\Inlet::push( (string) $tenant, $object, $data );
		} catch ( \InvalidArgumentException | \RuntimeException $e ) {
			return new WP_Error( 'tenant_crm_sync', $e->getMessage() );
		}
	}
}
