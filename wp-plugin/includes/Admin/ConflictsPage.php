<?php
/**
 * The screen "Conflicts": what waits for a person and what was decided, by tenant and words; and what happens when somebody decides, one row or
 * many, or undoes it. The table itself is ConflictTable, what a decision does is TwoWay\Decisions' business.
 */

namespace TenantCRM\Admin;

use TenantCRM\Capabilities;
use TenantCRM\TwoWay\Conflicts;
use TenantCRM\TwoWay\Decisions;

final class ConflictsPage {

	const TAKEN = 'taken';

	/** @var ConflictTable|null */
	private static $table = null;

	public static function load(): void {
		self::act();
		require_once ABSPATH . 'wp-admin/includes/class-wp-list-table.php';
		$tenants = Choice::tenants( Capabilities::SYNC );
		$filter  = array( 'tenants' => self::shown( $tenants ), 'words' => Choice::words() ); // phpcs:ignore WordPress.Arrays.ArrayDeclarationSpacing
		$counts  = array();
		foreach ( array( 'open', self::TAKEN ) as $state ) {
			$counts[ $state ] = Conflicts::count( array( 'state' => $state ) + $filter );
		}
		$filter['state'] = self::state();
		self::$table     = new ConflictTable( array( 'conflict', 'conflicts' ), $tenants, Screens::CONFLICTS, array( 'state' => 'open' === self::state() ? '' : self::state() ), self::args(), $counts );
		self::$table->find( $counts[ self::state() ], static fn( int $size, int $page ): array => Conflicts::list( array( 'limit' => $size, 'offset' => $size * ( $page - 1 ) ) + $filter ) ); // phpcs:ignore WordPress.Arrays.ArrayDeclarationSpacing
		Screens::per_page_option( __( 'Conflicts per page', 'tenant-crm-sync' ) );
		RowActions::style();
		Screens::help(
			'conflicts',
			__( 'Conflicts', 'tenant-crm-sync' ),
			array(
				__( 'Both sides changed the same field since they last agreed, and the tenant’s settings do not say whose value counts. Choose one: it becomes the value of both.', 'tenant-crm-sync' ),
				__( 'A conflict holds up nothing but its own field: everything else of the lead goes on being synced.', 'tenant-crm-sync' ),
				__( 'If a value has changed again meanwhile, nothing is overwritten unseen: you are asked once more, with what is there by then.', 'tenant-crm-sync' ),
				__( 'What was decided about a field can be undone under “Decided”: then the other value counts.', 'tenant-crm-sync' ),
				__( 'Which fields ask, and which are decided by themselves, are settings of the tenant: policy and policies.', 'tenant-crm-sync' ),
			)
		);
	}

	public static function render(): void {
		if ( null === self::$table ) {
			return;
		}
		printf( '<div class="wrap tcs-wrap tcs-conflicts"><h1>%s</h1>', esc_html__( 'Conflicts', 'tenant-crm-sync' ) );
		self::said();
		self::$table->views();
		Choice::open( Screens::CONFLICTS );
		if ( 'open' !== self::state() ) {
			printf( '<input type="hidden" name="state" value="%s">', esc_attr( self::state() ) );
		}
		Choice::tenant_select( Choice::tenants( Capabilities::SYNC ), __( 'All tenants', 'tenant-crm-sync' ) );
		Choice::close( __( 'Search names, fields and CRM ids', 'tenant-crm-sync' ) );
		RowActions::open( Screens::CONFLICTS, self::args() );
		self::$table->display();
		echo '</form></div>';
	}

	/** Does what was posted, and goes back to the list. */
	private static function act(): void {
		$asked = RowActions::asked( Screens::CONFLICTS, array( 'crm', 'portal', 'undo' ) );
		if ( null === $asked ) {
			return;
		}
		list( $action, $keys ) = $asked;
		$done                  = array();
		$pushes                = array();
		$again                 = 0;
		foreach ( $keys as $key ) {
			$row = Conflicts::get( absint( $key ) );
			if ( $row && Conflicts::may( get_current_user_id(), $row ) ) {
				$result = 'undo' === $action ? Decisions::undo( $row['id'] ) : Decisions::take( $row['id'], $action );
				in_array( $result, array( 'taken', 'undone' ), true ) ? $done[ $row['id'] ] = 'field' === $row['kind'] : ++$again;
				$pushes[ "{$row['tenant']} {$row['object']}" ] = array( $row['tenant'], (string) $row['object'] );
			} else {
				++$again;
			}
		}
		$said = array(
			'did'   => $done ? ( 'undo' === $action ? 'undone' : 'decided' ) : '',
			'done'  => count( $done ),
			'again' => $again,
			'none'  => $keys ? 0 : 1,
			'ids'   => 'undo' === $action ? '' : implode( '-', array_keys( array_filter( $done ) ) ),
		);
		RowActions::push_afterwards( $pushes );
		wp_safe_redirect( Screens::url( Screens::CONFLICTS, array_filter( $said ) + self::args() ) );
		exit;
	}

	/** @param array<int, \TenantCRM\Tenant> $tenants */
	private static function shown( array $tenants ): array {
		$chosen = Choice::tenant( $tenants );
		return $chosen ? array( $chosen->key ) : array_keys( $tenants );
	}

	private static function state(): string {
		return self::TAKEN === Choice::text( 'state' ) ? self::TAKEN : 'open';
	}

	/** @return array<string, scalar> What the address of this list has. */
	private static function args(): array {
		return array_filter( array( 'state' => 'open' === self::state() ? '' : self::state() ) ) + RowActions::args();
	}

	private static function said(): void {
		$number = static fn( string $name ): int => absint( Choice::text( $name ) );
		$done   = $number( 'done' );
		if ( $done && 'undone' === Choice::text( 'did' ) ) {
			/* translators: %s: number of decisions */
			RowActions::notice( sprintf( _n( '%s decision was undone: the other value counts, and is on its way to both sides.', '%s decisions were undone: the other values count, and are on their way to both sides.', $done, 'tenant-crm-sync' ), number_format_i18n( $done ) ), Screens::CONFLICTS, self::args(), 'undo', '', array() );
		} elseif ( $done ) {
			$ids  = array_filter( explode( '-', mb_substr( self::ids(), 0, 4000 ) ), 'ctype_digit' );
			/* translators: %s: number of conflicts */
			$text = sprintf( _n( '%s conflict was decided; the value is on its way to both sides.', '%s conflicts were decided; the values are on their way to both sides.', $done, 'tenant-crm-sync' ), number_format_i18n( $done ) );
			RowActions::notice( $text, Screens::CONFLICTS, self::args(), 'undo', __( 'Undo', 'tenant-crm-sync' ), array_slice( $ids, 0, RowActions::MOST ) );
		}
		if ( $number( 'again' ) ) {
			/* translators: %s: number of conflicts */
			Notices::show( 'warning', sprintf( _n( '%s was not: a side has another value by now, somebody was faster, or it is not yours to decide. It is asked again where that is needed.', '%s were not: a side has another value by now, somebody was faster, or they are not yours to decide. They are asked again where that is needed.', $number( 'again' ), 'tenant-crm-sync' ), number_format_i18n( $number( 'again' ) ) ), true );
		}
		RowActions::said_nothing();
	}

	/** Numbers of conflicts, longer than any other text of an address. */
	private static function ids(): string {
		return isset( $_GET['ids'] ) && is_string( $_GET['ids'] ) ? sanitize_key( wp_unslash( $_GET['ids'] ) ) : ''; // phpcs:ignore WordPress.Security.NonceVerification -- which rows the button is for; it has a nonce of its own.
	}
}
