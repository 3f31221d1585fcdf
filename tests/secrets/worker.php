<?php
/** Does what main.php says on standard input, one JSON line each, and answers with one: see Worker. */

declare(strict_types=1);

while ( false !== ( $line = fgets( STDIN ) ) ) {
	[ $what, $tenant, $settings, $more ] = json_decode( $line, true, 64, JSON_THROW_ON_ERROR );
	try {
		$answer = match ( $what ) {
			'fetch' => ( static function () use ( $tenant, $settings ): array {
				$sync = TenantCRMSync::with_settings( $tenant, $settings );
				$rows = $sync->fetch_leads();
				ob_start();
				var_dump( $sync );
				return [ 'rows' => is_array( $rows ) ? count( $rows ) : $rows, 'error' => $sync->last_error(), 'dump' => ob_get_clean() . print_r( $sync, true ) ];
			} )(),
			'create' => ( static function () use ( $tenant, $settings ): array {
				$sync = TenantCRMSync::with_settings( $tenant, $settings );
				return [ 'made' => is_array( $sync->create_lead( [ 'name' => 'Zoë' ] ) ), 'error' => $sync->last_error() ];
			} )(),
			// After the first batch main.php changes the key, and says so with another line.
			'pull' => ( static function () use ( $tenant, $settings ): array {
				$rows = 0;
				foreach ( TenantCRMSync::with_settings( $tenant, $settings )->pull( 'leads', null, [ 'page_size' => 10 ] ) as $batch ) {
					if ( 0 === $rows ) {
						echo "{\"first\":true}\n";
						fgets( STDIN );
					}
					$rows += count( $batch->rows() );
				}
				return [ 'rows' => $rows ];
			} )(),
			'seal'   => [ 'stored' => TenantCRMSync::encrypt_credential( $tenant, $more[0], 'api_key', $settings['api_endpoint'] ) ],
			'rotate' => [ 'stored' => TenantCRMSync::rotate_credential( $tenant, $more[0] ) ],
			'ini'    => [ 'set' => array_map( static fn( string $name ): bool => false !== ini_set( "tenant_crm_sync.$name", 'http://127.0.0.1:1' ), $more[0] ) ],
			'site'   => [ 'set' => TenantCRMSync::use_site( $more[0] ) ],
		};
	} catch ( Throwable $thrown ) {
		$answer = [ 'class' => get_class( $thrown ), 'error' => [ 'message' => $thrown->getMessage() ], 'trace' => (string) $thrown ];
	}
	echo json_encode( $answer, JSON_THROW_ON_ERROR | JSON_INVALID_UTF8_SUBSTITUTE ), "\n";
}
