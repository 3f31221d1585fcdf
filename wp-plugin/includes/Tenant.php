<?php
/**
 * One tenant, read only. Where it comes from and how it is changed is in Tenants.
 *
 * The credential is not a property: it leaves this class only as the argument of the extension.
 *
 * @package TenantCRM
 */

namespace TenantCRM;

final class Tenant {

	/** Seconds between two automatic pulls where the settings say nothing else. */
	private const INTERVAL = 3600;

	/**
	 * @param int                  $key       Integer key, the only thing that other tables hold.
	 * @param string               $id        The site's own id of the tenant, bytewise.
	 * @param string               $source    `table`, or `function` where the site's own get_tenant_crm_settings() answers for it.
	 * @param array<string, mixed> $settings  Further settings, without the credential.
	 * @param string|null          $envelope  The sealed credential of a tenant of the table.
	 */
	public function __construct(
		public readonly int $key,
		public readonly string $id,
		public readonly string $label,
		public readonly string $connector,
		public readonly string $endpoint,
		public readonly string $source,
		public readonly bool $paused,
		public readonly array $settings,
		private readonly ?string $envelope
	) {
	}

	/**
	 * A function's tenant has one if the function answers at all, and one with fields of its own may need no key: the extension
	 * says the rest when it is used.
	 */
	public function has_credential(): bool {
		return 'function' === $this->source || $this->has_key() || array() !== $this->connection();
	}

	private function has_key(): bool {
		return null !== $this->envelope && '' !== $this->envelope;
	}

	/** @return array<string, mixed> What the connector asks for beyond address and key, such as `auth` and `client_id`; secrets are envelopes. */
	private function connection(): array {
		$fields = $this->settings['connection'] ?? array();
		return is_array( $fields ) ? $fields : array();
	}

	/**
	 * @throws \Exception Where settings are missing; \TenantCRMSync\Exception where they cannot be used.
	 */
	public function client(): \TenantCRMSync {
		if ( 'function' === $this->source ) {
			$client = new \TenantCRMSync( $this->id );
		} else {
			$settings = $this->article_settings();
			if ( null === $settings ) {
				throw new \Exception( "CRM settings not configured for tenant {$this->id}." );
			}
			$client = \TenantCRMSync::with_settings( $this->id, $settings );
		}
		return $client->throw_errors();
	}

	/**
	 * What get_tenant_crm_settings() returns for a tenant of the table: the key as an envelope.
	 *
	 * @return array<string, mixed>|null Null while endpoint or credential is missing.
	 */
	public function article_settings(): ?array {
		if ( 'table' !== $this->source || ! $this->has_credential() || '' === $this->endpoint ) {
			return null;
		}
		$own = array(
			'api_endpoint' => rtrim( $this->endpoint, '/' ),
			'connector'    => $this->connector,
		);
		if ( $this->has_key() ) {
			$own['api_key'] = $this->envelope;
		}
		$allowed = array_flip( array( 'timeout', 'idempotency_header', 'parallel', 'stable_order' ) );
		return $own + array_intersect_key( $this->settings, $allowed ) + $this->connection();
	}

	/** Seconds between two automatic pulls; never less than a minute. */
	public function interval(): int {
		$seconds = $this->settings['interval'] ?? self::INTERVAL;
		return is_numeric( $seconds ) ? max( MINUTE_IN_SECONDS, (int) $seconds ) : self::INTERVAL;
	}

	/** Records of a page, where the settings name a number; else the CRM decides. */
	public function page_size(): ?int {
		$size = $this->settings['page_size'] ?? null;
		return is_numeric( $size ) ? max( 1, min( 1000, (int) $size ) ) : null;
	}

	/** Whether leads go through wp_insert_post() and wp_update_post(), for plugins that need those hooks. */
	public function uses_hooks(): bool {
		return ! empty( $this->settings['hooks'] );
	}

	/** No secret and no object graph may leave through serialize(). */
	public function __serialize(): array {
		throw new \LogicException( 'A tenant cannot be serialized: keep its key and read it again.' );
	}

	/** @return array<string, mixed> What var_dump() may show. */
	public function __debugInfo(): array {
		return array(
			'key'       => $this->key,
			'id'        => $this->id,
			'label'     => $this->label,
			'connector' => $this->connector,
			'endpoint'  => $this->endpoint,
			'source'    => $this->source,
			'paused'    => $this->paused,
		);
	}
}
