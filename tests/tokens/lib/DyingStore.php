<?php
/**
 * The plugin's store in a process that is about to be killed: at its step it says so and does nothing more.
 *
 * `lease`: the lease is taken, nothing was sent. `answer`: the CRM has answered, nothing is stored. `commit`: it is stored, not used.
 */

declare(strict_types=1);

namespace TenantCRM\Tests\Tokens;

final class DyingStore implements \TenantCRMSync\TokenStore {

	public function __construct( private \TenantCRMSync\TokenStore $store, private string $step ) {
	}

	public function load( string $tenant ): ?array {
		return $this->store->load( $tenant );
	}

	public function lease( string $tenant, int $version, float $seconds ): ?string {
		$lease = $this->store->lease( $tenant, $version, $seconds );
		$this->stand( 'lease' );
		return $lease;
	}

	public function commit( string $tenant, string $lease, int $version, string $envelope, ?int $expires_at ): bool {
		$this->stand( 'answer' );
		$stored = $this->store->commit( $tenant, $lease, $version, $envelope, $expires_at );
		$this->stand( 'commit' );
		return $stored;
	}

	public function release( string $tenant, string $lease ): void {
		$this->store->release( $tenant, $lease );
	}

	public function refuse( string $tenant, int $version, string $reason ): void {
		$this->store->refuse( $tenant, $version, $reason );
	}

	private function stand( string $step ): void {
		if ( $step === $this->step ) {
			echo "reached\n";
			flush();
			sleep( 120 );
		}
	}
}
