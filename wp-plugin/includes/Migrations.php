<?php
/**
 * The numbered migrations, each in a class of its own in Migrations/. They are never changed once released: a change is a new number.
 *
 * @package TenantCRM
 */

namespace TenantCRM;

final class Migrations {

	/** @return list<string> Statements that may each run twice without harm. */
	public static function statements( int $number ): array {
		return match ( $number ) {
			1       => Migrations\First::statements(),
			2       => Migrations\Tokens::statements(),
			3       => Migrations\Queue::statements(),
			4       => Migrations\Attempts::statements(),
			5       => Migrations\Webhooks::statements(),
			6       => Migrations\TwoWay::statements(),
			7       => Migrations\Refused::statements(),
			8       => Migrations\Edits::statements(),
			9       => Migrations\Suppressions::statements(),
			10      => Migrations\Consent::statements(),
			default => array(),
		};
	}

	/**
	 * Indexes that are not there yet.
	 *
	 * @param array<string, string> $keys Name => columns.
	 * @return list<string>
	 */
	public static function keys( string $name, array $keys ): array {
		global $wpdb;
		$table = Schema::table( $name );
		$have  = $wpdb->get_col( $wpdb->prepare( 'SELECT DISTINCT INDEX_NAME FROM information_schema.STATISTICS WHERE TABLE_SCHEMA = DATABASE() AND TABLE_NAME = %s', $table ) );
		$add   = array();
		foreach ( array_diff_key( $keys, array_flip( $have ) ) as $key => $columns ) {
			$add[] = "ADD KEY $key $columns";
		}
		return $add ? array( "ALTER TABLE `$table` " . implode( ', ', $add ) ) : array();
	}

	/**
	 * Columns that are not there yet: MySQL has no ADD COLUMN IF NOT EXISTS.
	 *
	 * @param array<string, string> $columns Name => definition.
	 * @return list<string>
	 */
	public static function columns( string $name, array $columns ): array {
		global $wpdb;
		$table = Schema::table( $name );
		$have  = $wpdb->get_col( $wpdb->prepare( 'SELECT COLUMN_NAME FROM information_schema.COLUMNS WHERE TABLE_SCHEMA = DATABASE() AND TABLE_NAME = %s', $table ) );
		$add   = array();
		foreach ( array_diff_key( $columns, array_flip( $have ) ) as $column => $definition ) {
			$add[] = "ADD COLUMN $column $definition";
		}
		return $add ? array( "ALTER TABLE `$table` " . implode( ', ', $add ) ) : array();
	}
}
