<?php
/**
 * The CRM's side: the sandbox's control interface, as its users, its network and its operators would use it.
 */

final class Crm {

	/** What a CRM calls leads, where it calls them so. */
	private const LEADS = array( 'hubspot' => 'contacts' );

	/** @var array<string, string> By tenant. */
	private static array $objects = array();

	/** @return array<string, array<string, mixed>> Rows of a tenant by id. */
	public static function rows( string $tenant ): array {
		$rows = array();
		foreach ( self::call( 'GET', '/rows?object=' . self::$objects[ $tenant ] . '&tenant=' . rawurlencode( $tenant ) ) as $row ) {
			$rows[ (string) $row['id'] ] = $row;
		}
		return $rows;
	}

	/** @param array<string, mixed> $settings */
	public static function tenant( string $id, array $settings ): void {
		self::$objects[ $id ] = self::LEADS[ $settings['dialect'] ?? '' ] ?? 'leads';
		self::call( 'POST', '/tenants', array( 'id' => $id, 'key' => "key-of-$id" ) + $settings );
	}

	public static function wipe(): void {
		self::call( 'POST', '/reset', array() );
	}

	/** Makes a row, or replaces one; its time is the CRM's own. @param array<string, mixed> $row @return string Its id. */
	public static function put( string $tenant, array $row ): string {
		unset( $row['updated_at'] );
		return (string) self::call( 'POST', '/rows', array( 'tenant' => $tenant, 'object' => self::$objects[ $tenant ], 'rows' => array( $row ) ) )['ids'][0];
	}

	public static function delete( string $tenant, mixed $id ): void {
		self::call( 'DELETE', '/rows', array( 'tenant' => $tenant, 'object' => self::$objects[ $tenant ], 'ids' => array( $id ) ) );
	}

	/** @param list<array<string, mixed>> $faults */
	public static function faults( string $tenant, array $faults, bool $append = true ): void {
		self::call( 'POST', '/faults', array( 'tenant' => $tenant, 'faults' => $faults, 'append' => $append ) );
	}

	/** What the sandbox calls a fault of a schedule. @param array<string, mixed> $action @return array<string, mixed> */
	public static function fault( array $action ): array {
		$fault = match ( $action['kind'] ) {
			'429'               => array( 'kind' => 'status', 'status' => 429, 'headers' => array( 'retry-after' => '1' ) ),
			'429 later'         => array( 'kind' => 'status', 'status' => 429, 'headers' => array( 'retry-after' => '3600' ) ),
			'500', '503'        => array( 'kind' => 'status', 'status' => (int) $action['kind'] ),
			'503 though done'   => array( 'kind' => 'status', 'status' => 503, 'process' => true ),
			'cut before'        => array( 'kind' => 'cut_before_read' ),
			'cut after'         => array( 'kind' => 'cut_after_read' ),
			'cut though done'   => array( 'kind' => 'cut_after_read', 'process' => true ),
			'cut in the middle' => array( 'kind' => 'cut_mid_body' ),
			'half of the JSON'  => array( 'kind' => 'truncated_json' ),
			'stall'             => array( 'kind' => 'stall', 'ms' => 2000 ),
		};
		return $fault + array_filter( array( 'times' => $action['times'], 'after' => $action['after'], 'method' => $action['method'] ) );
	}

	public static function forget_requests(): void {
		self::call( 'DELETE', '/requests' );
	}

	/** @return list<string> Requests of a tenant since the last time, for people. */
	public static function seen( string $tenant ): array {
		static $last = array();
		$seen = array();
		foreach ( self::call( 'GET', '/requests?tenant=' . rawurlencode( $tenant ) . '&since=' . ( $last[ $tenant ] ?? 0 ) ) as $request ) {
			$last[ $tenant ] = $request['n'];
			$seen[]          = "{$request['method']} {$request['path']}?{$request['query']} " . base64_decode( (string) $request['body_base64'] ) . ' -> ' . ( $request['status'] ?? 'nothing' );
		}
		return $seen;
	}

	/** @return array<string, list<string>> Requests that may change something since they were forgotten, by tenant. */
	public static function writes(): array {
		$writes = array();
		foreach ( self::call( 'GET', '/requests' ) as $request ) {
			if ( 'GET' !== $request['method'] && ! preg_match( '~/(search|batch/read)$~D', $request['path'] ) ) {
				$writes[ (string) $request['tenant'] ][] = "{$request['method']} {$request['path']} " . base64_decode( (string) $request['body_base64'] );
			}
		}
		return $writes;
	}

	/** @param array<string, mixed>|null $body */
	private static function call( string $method, string $path, ?array $body = null ): mixed {
		static $curl = null;
		$curl ??= curl_init();
		curl_setopt_array(
			$curl,
			array(
				CURLOPT_URL            => getenv( 'TCS_SANDBOX_CONTROL' ) . $path,
				CURLOPT_CUSTOMREQUEST  => $method,
				CURLOPT_POSTFIELDS     => null === $body ? '' : json_encode( (object) $body, JSON_THROW_ON_ERROR ),
				CURLOPT_HTTPHEADER     => array( 'Content-Type: application/json' ),
				CURLOPT_RETURNTRANSFER => true,
			)
		);
		$answer = curl_exec( $curl );
		$status = curl_getinfo( $curl, CURLINFO_RESPONSE_CODE );
		if ( false === $answer || $status >= 300 ) {
			throw new RuntimeException( "sandbox: $method $path: $status $answer " . curl_error( $curl ) );
		}
		return '' === $answer ? null : json_decode( $answer, true, 512, JSON_THROW_ON_ERROR );
	}
}
