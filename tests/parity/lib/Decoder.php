<?php
/** Sends documents through the sandbox and the class, and compares what comes out with json_decode of the same bytes. */

declare(strict_types=1);

namespace TenantCRM\Tests\Parity;

use TenantCRM\Tests\Sandbox;

final class Decoder {

	private \TenantCRMSync $sync;
	/** Refused by both, for reasons that are worded otherwise. */
	public int $other_reasons = 0;

	public function __construct( private Sandbox $sandbox ) {
		$sandbox->tenant( 'json', 'key', [ 'paging' => 'none' ] );
		$this->sync = \TenantCRMSync::with_settings( 'json', [ 'api_key' => 'key', 'api_endpoint' => $sandbox->plain ] );
	}

	/**
	 * All values in one list under `data`.
	 *
	 * @param list<string> $texts
	 * @return list<string> A problem for each, '' where there is none.
	 */
	public function data( array $texts ): array {
		$this->answer( [ '{"before":[' . $texts[0] . '],"data":[' . implode( ',', $texts ) . '],"after":{"x":' . $texts[1] . '}}' ] );
		$got = $this->sync->fetch_leads();
		if ( ! is_array( $got ) || count( $got ) !== count( $texts ) ) {
			$this->sandbox->call( 'DELETE', '/requests' );
			return $this->documents( $texts );
		}
		$this->sandbox->call( 'DELETE', '/requests' );
		return array_map( static fn( $ours, $text ) => self::difference( $ours, $text ), $got, $texts );
	}

	/**
	 * Each value as a member of a record.
	 *
	 * @param list<string> $texts
	 * @return list<string>
	 */
	public function rows( array $texts ): array {
		$rows = array_map( static fn( $text, $id ) => "{\"id\":$id,\"value\":$text}", $texts, array_keys( $texts ) );
		$this->answer( [ '{"data":[' . implode( ',', $rows ) . ']}' ] );
		$problems = array_fill( 0, count( $texts ), 'it is in no batch' );
		foreach ( $this->sync->pull( 'leads' ) as $batch ) {
			foreach ( $batch->refused() as $row ) {
				$problems[ $row['position'] ] = 'refused: ' . $row['reason'];
			}
			foreach ( $batch->rows() as $row ) {
				$problems[ $row['id'] ] = self::difference( $row, $rows[ $row['id'] ] );
			}
		}
		$this->sandbox->call( 'DELETE', '/requests' );
		return $problems;
	}

	/**
	 * Each document as an answer of its own.
	 *
	 * @param list<string> $texts
	 * @return list<string>
	 */
	public function documents( array $texts ): array {
		$this->answer( $texts );
		$problems = [];
		foreach ( $texts as $text ) {
			$ours       = $this->sync->create_lead( [] );
			$error      = $this->sync->last_error();
			json_decode( $text, true );
			$reason     = json_last_error_msg();
			$refused    = JSON_ERROR_NONE !== json_last_error();
			// Which of several faults is told first, and in which words, differs between PHP's versions: it is counted, not judged.
			$this->other_reasons += $refused && null !== $error && ! str_ends_with( $error['message'], ": $reason" ) ? 1 : 0;
			$problems[] = match ( true ) {
				$refused && null === $error          => "PHP refuses it: $reason; ours accepts it: " . substr( serialize( $ours ), 0, 200 ),
				! $refused && null !== $error        => "PHP accepts it; ours does not: {$error['message']}",
				$refused && false !== $ours          => 'refused, but the result is not false',
				$refused && 'decode' !== $error['kind'] => "PHP refuses it: $reason; ours says '{$error['message']}'",
				! $refused                           => self::difference( $ours, $text ),
				default                              => '',
			};
		}
		$this->sandbox->call( 'DELETE', '/requests' );
		return $problems;
	}

	private static function difference( mixed $ours, string $text ): string {
		$php = json_decode( $text, true );
		// Not ==: a float is no integer, -0.0 is not 0.0, and the order of keys counts.
		[ $ours, $php ] = [ serialize( $ours ), serialize( $php ) ];
		if ( $ours === $php ) {
			return '';
		}
		$from = max( 0, strspn( $ours ^ $php, "\0" ) - 40 );
		return addcslashes( 'from byte ' . $from . ' of the value, PHP: ' . substr( $php, $from, 120 ) . ' ours: ' . substr( $ours, $from, 120 ), "\0..\37\177..\377" );
	}

	/** @param list<string> $bodies One for each request that follows. */
	private function answer( array $bodies ): void {
		$this->sandbox->faults( 'json', array_map( static fn( $body ) => [ 'kind' => 'canned', 'status' => 200, 'body_base64' => base64_encode( $body ) ], $bodies ) );
	}
}
