<?php
/**
 * The commands of bin/tenant-crm that only look: what a sync would do, and where the values of a lead come from.
 *
 * @package TenantCRM
 */

namespace TenantCRM;

use TenantCRM\TwoWay\Explain;
use TenantCRM\TwoWay\Preview;

final class PreviewCommands {

	/** @param array<string, mixed> $options */
	public static function preview( array $options ): int {
		$previews = array();
		foreach ( CommandLine::chosen( $options ) as $tenant ) {
			if ( $options['all'] && ! $tenant->is_configured() ) {
				continue;
			}
			$previews[] = Preview::run( $tenant, $options['full'] );
		}
		if ( Output::is_deep( $options['format'] ) ) {
			Output::rows( $previews, $options );
			return 0;
		}
		if ( 'table' !== $options['format'] ) {
			$lines = array();
			foreach ( $previews as $preview ) {
				foreach ( $preview['changes'] as $change ) {
					$lines[] = array( 'tenant' => $preview['tenant'] ) + self::line( $change );
				}
			}
			Output::rows( $lines, $options, '', 'record' );
			return 0;
		}
		foreach ( $previews as $preview ) {
			printf( "Tenant \"%s\": nothing was written. A sync would make %s.\n", Output::cell( $preview['tenant'] ), self::cost( $preview ) );
			foreach ( array_merge( $preview['limits'], self::notes( $preview ) ) as $line ) {
				echo Output::cell( $line ), "\n";
			}
			Output::rows( array_map( array( self::class, 'line' ), $preview['changes'] ), $options, 'It would change nothing.' );
		}
		return 0;
	}

	/** @param array<string, mixed> $options */
	public static function explain( array $options ): int {
		if ( isset( $options['post'] ) ) {
			$fields = ctype_digit( $options['post'] ) ? Explain::post( (int) $options['post'] ) : null;
		} elseif ( isset( $options['id'] ) && 1 === count( $options['tenant'] ) ) {
			$fields = Explain::record( CommandLine::tenant( $options['tenant'][0] ), $options['id'] );
		} else {
			throw new \DomainException( 'say which lead: --tenant=ID --id=RECORD, or --post=POST' );
		}
		if ( null === $fields ) {
			throw new \RuntimeException( 'there is no such lead' );
		}
		Output::rows( Output::is_deep( $options['format'] ) ? $fields : array_map( static fn( array $field ): array => array_merge( $field, array( 'value' => self::short( $field['value'] ), 'who' => $field['who'] ? self::user( $field['who'] ) : '' ) ), $fields ), $options ); // phpcs:ignore WordPress.Arrays.ArrayDeclarationSpacing
		return 0;
	}

	/** @param array<string, mixed> $preview As Preview::run() gives it. */
	public static function cost( array $preview ): string {
		$requests = $preview['requests'];
		return sprintf( '%d changes and about %d requests (%d pages, %d reads, %d writes)', count( $preview['changes'] ), array_sum( $requests ), $requests['pages'], $requests['reads'], $requests['writes'] );
	}

	/**
	 * @param array<string, mixed> $preview
	 * @return list<string>
	 */
	public static function notes( array $preview ): array {
		return array_map( static fn( $record, string $note ): string => '' === (string) $record ? $note : "$record: $note", array_keys( $preview['notes'] ), $preview['notes'] );
	}

	/**
	 * @param array<string, mixed> $change
	 * @return array<string, string>
	 */
	public static function line( array $change ): array {
		return array(
			'side'   => $change['side'],
			'action' => $change['action'],
			'record' => 'create' === $change['action'] && 'crm' === $change['side'] ? "new ({$change['record']})" : $change['record'],
			'field'  => $change['field'],
			'from'   => self::short( $change['from'] ),
			'to'     => self::short( $change['to'] ),
			'rule'   => $change['rule'],
		);
	}

	/** @param mixed $value */
	public static function short( $value ): string {
		return mb_strimwidth( is_scalar( $value ) || null === $value ? (string) $value : (string) wp_json_encode( $value, JSON_UNESCAPED_UNICODE | JSON_UNESCAPED_SLASHES ), 0, 60, '…' );
	}

	private static function user( int $id ): string {
		$user = get_userdata( $id );
		return $user ? $user->user_login : "user $id";
	}
}
