<?php
/**
 * A store of one token in memory, whose methods can be made to throw or to return something else.
 */

declare(strict_types=1);

namespace TenantCRM\Tests\Tokens;

final class MemoryStore implements \TenantCRMSync\TokenStore {

	public int $version      = 0;
	public string $envelope  = '';
	public ?int $expires_at  = null;
	public string $state     = 'ok';
	private ?string $lease   = null;

	/** @var array<string, mixed> Method => what it throws or returns instead. */
	public array $fails = array();

	public function load( string $tenant ): ?array {
		if ( isset( $this->fails['load'] ) ) {
			return $this->failed( 'load' );
		}
		return $this->version ? array( 'version' => $this->version, 'envelope' => $this->envelope, 'expires_at' => $this->expires_at, 'state' => $this->state ) : null;
	}

	public function lease( string $tenant, int $version, float $seconds ): ?string {
		if ( isset( $this->fails['lease'] ) ) {
			return $this->failed( 'lease' );
		}
		return $version === $this->version && null === $this->lease ? $this->lease = bin2hex( random_bytes( 8 ) ) : null;
	}

	public function commit( string $tenant, string $lease, int $version, string $envelope, ?int $expires_at ): bool {
		if ( $lease !== $this->lease || $version !== $this->version ) {
			return false;
		}
		list( $this->version, $this->envelope, $this->expires_at, $this->state, $this->lease ) = array( $version + 1, $envelope, $expires_at, 'ok', null );
		return true;
	}

	public function release( string $tenant, string $lease ): void {
		$this->lease = $lease === $this->lease ? null : $this->lease;
	}

	public function refuse( string $tenant, int $version, string $reason ): void {
		if ( $version === $this->version ) {
			list( $this->state, $this->lease ) = array( 'reconnect', null );
		}
	}

	private function failed( string $method ): mixed {
		$what = $this->fails[ $method ];
		if ( $what instanceof \Throwable ) {
			throw $what;
		}
		return $what;
	}
}
