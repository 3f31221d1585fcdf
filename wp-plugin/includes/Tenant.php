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
	 * @param int                  $revision  Counts the changes of what is stored.
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
		private readonly ?string $envelope,
		public readonly int $revision = 0
	) {
	}

	/** For people. */
	public function name(): string {
		return '' === $this->label ? $this->id : $this->label;
	}

	/** Whether everything is there that a sync needs; a function's tenant needs nothing of ours. */
	public function is_configured(): bool {
		return array() === $this->missing();
	}

	/** Whether an API key is stored. */
	public function has_key(): bool {
		return null !== $this->envelope && '' !== $this->envelope;
	}

	/** What a secret field holds, if that is a reference to a secrets manager of the host's; empty otherwise. */
	public function reference( string $field ): string {
		$stored = 'api_key' === $field ? (string) $this->envelope : (string) ( $this->connection()[ $field ] ?? '' );
		return preg_match( ConnectionFields::REFERENCE, $stored ) ? $stored : '';
	}

	/** Whether what the connection authorises itself with is stored; an address may still be missing. */
	public function has_credential(): bool {
		return array() === array_diff_key( $this->missing(), array( 'api_endpoint' => '' ) );
	}

	/** @return array<string, string> Field => title of what the connection still lacks. */
	public function missing(): array {
		if ( 'function' === $this->source ) {
			return '' === $this->endpoint && null === ( Connectors::find( $this->connector )['fields']['api_endpoint']['default'] ?? null ) ? array( 'api_endpoint' => 'endpoint' ) : array();
		}
		$missing   = '' === $this->endpoint ? array( 'api_endpoint' => 'endpoint' ) : array();
		$stored    = $this->connection();
		$connector = Connectors::find( $this->connector );
		if ( $connector ) {
			foreach ( Connectors::required( $connector, (string) ( $stored['auth'] ?? array_key_first( $connector['auth'] ) ) ) as $name ) {
				if ( 'api_key' === $name ? ! $this->has_key() : '' === (string) ( $stored[ $name ] ?? '' ) ) {
					$missing[ $name ] = (string) ( $connector['fields'][ $name ]['title'] ?? $name );
				}
			}
		}
		return $missing;
	}

	/** @return array<string, string> What the connector asks for beyond address and key, such as `auth` and `client_id`; secrets are envelopes. */
	public function connection(): array {
		$fields = $this->settings['connection'] ?? array();
		return is_array( $fields ) ? $fields : array();
	}

	/** The tenant's own mapping as JSON; empty where it has none. */
	public function mapping(): string {
		$mapping = $this->settings['mapping'] ?? '';
		return is_string( $mapping ) ? $mapping : (string) wp_json_encode( $mapping );
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
	 * Asks the CRM one small thing. Never throws for what is wrong with the connection.
	 *
	 * @return array{ok: bool, problem: ?string, message: string, skew: ?float, milliseconds: float} See \TenantCRMSync::test_connection().
	 */
	public function test_connection(): array {
		$message = 'The connection lacks: ' . implode( ', ', $this->missing() ) . '.';
		try {
			if ( ! $this->missing() ) {
				$result = $this->client()->test_connection();
				Health\Clocks::note( $this->key, $result['skew'] );
				return $result;
			}
		} catch ( \Exception $e ) {
			$message = $e->getMessage();
		}
		return array(
			'ok'           => false,
			'problem'      => 'settings',
			'message'      => $message,
			'skew'         => null,
			'milliseconds' => 0.0,
		);
	}

	/**
	 * What get_tenant_crm_settings() returns for a tenant of the table: the key as an envelope.
	 *
	 * @return array<string, mixed>|null Null while endpoint or credential is missing.
	 */
	public function article_settings(): ?array {
		if ( 'table' !== $this->source || ! $this->is_configured() ) {
			return null;
		}
		$own = array(
			'api_endpoint' => rtrim( $this->endpoint, '/' ),
			'connector'    => $this->connector,
		);
		if ( $this->has_key() ) {
			$own['api_key'] = $this->envelope;
		}
		if ( '' !== $this->mapping() ) {
			$own['mapping'] = $this->mapping();
		}
		$allowed = array_flip( array( 'timeout', 'idempotency_header', 'parallel', 'stable_order', 'plan', 'limits', 'reserve' ) );
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
