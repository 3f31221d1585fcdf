<?php
/** A site with a class of the article's name. */

class TenantCRMSync {
	public function whose() {
		return 'mine';
	}
}

echo json_encode( [ ( new TenantCRMSync() )->whose(), extension_loaded( 'tenant_crm_sync' ) ] );
