<?php
/**
 * A token store in memory, for one process: what is stored is fenced as the interface wants. Stores that several processes share
 * are tested elsewhere.
 */

declare(strict_types=1);

namespace TenantCRM\Tests\Connectors;

final class Tokens implements \TenantCRMSync\TokenStore {

	/** @var array<string, array{version: int, envelope: string, expires_at: ?int, state: string, lease: ?string}> */
	private array $rows = [];

	public function load( string $tenant ): ?array {
		$row = $this->rows[ $tenant ] ?? null;
		return null === $row || 0 === $row['version'] ? null : $row;
	}

	public function lease( string $tenant, int $version, float $seconds ): ?string {
		$row = $this->rows[ $tenant ] ?? [ 'version' => 0, 'envelope' => '', 'expires_at' => null, 'state' => 'ok', 'lease' => null ];
		if ( $row['version'] !== $version || null !== $row['lease'] ) {
			return null;
		}
		$row['lease']          = bin2hex( random_bytes( 8 ) );
		$this->rows[ $tenant ] = $row;
		return $row['lease'];
	}

	public function commit( string $tenant, string $lease, int $version, string $envelope, ?int $expires_at ): bool {
		$row = $this->rows[ $tenant ] ?? null;
		if ( null === $row || $row['lease'] !== $lease || $row['version'] !== $version ) {
			return false;
		}
		$this->rows[ $tenant ] = [ 'version' => $version + 1, 'envelope' => $envelope, 'expires_at' => $expires_at, 'state' => 'ok', 'lease' => null ];
		return true;
	}

	public function release( string $tenant, string $lease ): void {
		if ( ( $this->rows[ $tenant ]['lease'] ?? null ) === $lease ) {
			$this->rows[ $tenant ]['lease'] = null;
		}
	}

	public function refuse( string $tenant, int $version, string $reason ): void {
		if ( ( $this->rows[ $tenant ]['version'] ?? null ) === $version ) {
			$this->rows[ $tenant ]['state'] = 'reconnect';
			$this->rows[ $tenant ]['lease'] = null;
		}
	}
}
