<?php
/**
 * A store of one token for all workers: a file, changed under a lock.
 */

final class FileStore implements TenantCRMSync\TokenStore {

	public function __construct( private readonly string $file ) {
	}

	public function load( string $tenant ): ?array {
		return $this->change( static fn( array &$has ): ?array => $has['version'] ? array_diff_key( $has, array( 'lease' => 1, 'until' => 1 ) ) : null );
	}

	public function lease( string $tenant, int $version, float $seconds ): ?string {
		return $this->change(
			static function ( array &$has ) use ( $version, $seconds ): ?string {
				if ( $version !== $has['version'] || ( null !== $has['lease'] && microtime( true ) < $has['until'] ) ) {
					return null;
				}
				$has['until'] = microtime( true ) + $seconds;
				return $has['lease'] = bin2hex( random_bytes( 8 ) );
			}
		);
	}

	public function commit( string $tenant, string $lease, int $version, string $envelope, ?int $expires_at ): bool {
		return $this->change(
			static function ( array &$has ) use ( $lease, $version, $envelope, $expires_at ): bool {
				$is_good = $lease === $has['lease'] && $version === $has['version'];
				$has     = $is_good ? array( 'version' => $version + 1, 'envelope' => $envelope, 'expires_at' => $expires_at, 'state' => 'ok', 'lease' => null, 'until' => 0 ) : $has;
				return $is_good;
			}
		);
	}

	public function release( string $tenant, string $lease ): void {
		$this->change( static fn( array &$has ): ?string => $has['lease'] = $lease === $has['lease'] ? null : $has['lease'] );
	}

	public function refuse( string $tenant, int $version, string $reason ): void {
		$this->change( static fn( array &$has ): string => $has['state'] = $version === $has['version'] ? 'reconnect' : $has['state'] );
	}

	/** @param callable(array<string, mixed>&): mixed $what */
	private function change( callable $what ): mixed {
		$file = fopen( $this->file, 'c+' );
		flock( $file, LOCK_EX );
		$has    = json_decode( (string) stream_get_contents( $file ), true ) ?? array( 'version' => 0, 'envelope' => '', 'expires_at' => null, 'state' => 'ok', 'lease' => null, 'until' => 0 );
		$result = $what( $has );
		ftruncate( $file, 0 );
		rewind( $file );
		fwrite( $file, json_encode( $has ) );
		fclose( $file );
		return $result;
	}
}
