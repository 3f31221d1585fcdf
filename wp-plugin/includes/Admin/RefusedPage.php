<?php
/**
 * The screen "Refused rows": what one side has and the other did not take, with the reason, and what happens when somebody has rows tried again
 * or drops them. What is tried again is worked on for some seconds at once, so that the answer of most is there with the page.
 */

namespace TenantCRM\Admin;

use TenantCRM\Capabilities;
use TenantCRM\DeadLetters;
use TenantCRM\Refused;
use TenantCRM\Tenants;

final class RefusedPage {

	/** @var RefusedTable|null */
	private static $table = null;

	public static function load(): void {
		self::act();
		require_once ABSPATH . 'wp-admin/includes/class-wp-list-table.php';
		$tenants = Choice::tenants( Capabilities::SYNC );
		$chosen  = Choice::tenant( $tenants );
		$filter  = array( 'tenants' => $chosen ? array( $chosen->key ) : array_keys( $tenants ), 'words' => Choice::words() ); // phpcs:ignore WordPress.Arrays.ArrayDeclarationSpacing
		$counts  = array();
		foreach ( Refused::SIDES as $side ) {
			$counts[ $side ] = Refused::count( array( 'side' => $side ) + $filter );
		}
		$filter['side'] = self::side();
		self::$table    = new RefusedTable( array( 'row', 'refused-rows' ), $tenants, Screens::REFUSED, array( 'side' => self::side() ), self::args(), $counts );
		self::$table->find( $counts[ self::side() ] ?? array_sum( $counts ), static fn( int $size, int $page ): array => Refused::list( array( 'limit' => $size, 'offset' => $size * ( $page - 1 ) ) + $filter ) ); // phpcs:ignore WordPress.Arrays.ArrayDeclarationSpacing
		Screens::per_page_option( __( 'Rows per page', 'tenant-crm-sync' ) );
		RowActions::style();
		Screens::help(
			'refused',
			__( 'Refused rows', 'tenant-crm-sync' ),
			array(
				__( 'A row that one side refuses holds up no other: the rest of its page is stored, the rest of the changes is sent.', 'tenant-crm-sync' ),
				__( 'From the CRM: the portal could not store the record. Correct it at the CRM and the next sync reads it by itself; if the cause was on this site, try it again once it is gone.', 'tenant-crm-sync' ),
				__( 'From the portal: the CRM did not take the change. Correct the lead and it is sent by itself; if the cause was at the CRM, try it again once it is gone.', 'tenant-crm-sync' ),
				__( '“Drop” takes a row from this list. A record comes back if the CRM sends it again and it is refused again; a change stays in the portal alone until the lead is changed again.', 'tenant-crm-sync' ),
				__( 'Syncs that failed as a whole are on the Overview.', 'tenant-crm-sync' ),
			)
		);
	}

	public static function render(): void {
		if ( null === self::$table ) {
			return;
		}
		printf( '<div class="wrap tcs-wrap tcs-refused"><h1>%s</h1>', esc_html__( 'Refused rows', 'tenant-crm-sync' ) );
		self::said();
		self::dead();
		self::$table->views();
		Choice::open( Screens::REFUSED );
		if ( '' !== self::side() ) {
			printf( '<input type="hidden" name="side" value="%s">', esc_attr( self::side() ) );
		}
		Choice::tenant_select( Choice::tenants( Capabilities::SYNC ), __( 'All tenants', 'tenant-crm-sync' ) );
		Choice::close( __( 'Search names, reasons and CRM ids', 'tenant-crm-sync' ) );
		RowActions::open( Screens::REFUSED, self::args() );
		self::$table->display();
		echo '</form></div>';
	}

	/** Does what was posted, and goes back to the list. */
	private static function act(): void {
		$asked = RowActions::asked( Screens::REFUSED, array( 'retry', 'drop' ) );
		if ( null === $asked ) {
			return;
		}
		list( $action, $keys ) = $asked;
		$own  = array_filter( $keys, array( __CLASS__, 'may' ) );
		$said = array( 'none' => $keys ? 0 : 1, 'gone' => count( $keys ) - count( $own ) ); // phpcs:ignore WordPress.Arrays.ArrayDeclarationSpacing
		$said = 'drop' === $action ? self::drop( $own, $said ) : self::retry( $own, $said );
		wp_safe_redirect( Screens::url( Screens::REFUSED, array_filter( $said ) + self::args() ) );
		exit;
	}

	/** Whether the row is there, and of a tenant of the user. */
	private static function may( string $key ): bool {
		$row    = Refused::get( $key );
		$tenant = $row ? Tenants::get( $row['tenant'] ) : null;
		return $tenant && Capabilities::user_may( get_current_user_id(), Capabilities::SYNC, $tenant->id );
	}

	/**
	 * @param array<string>      $keys
	 * @param array<string, int> $said
	 * @return array<string, int>
	 */
	private static function drop( array $keys, array $said ): array {
		$dropped = count( array_filter( $keys, array( Refused::class, 'drop' ) ) );
		return array( 'dropped' => $dropped, 'gone' => $said['gone'] + count( $keys ) - $dropped ) + $said; // phpcs:ignore WordPress.Arrays.ArrayDeclarationSpacing
	}

	/**
	 * @param array<string>      $keys
	 * @param array<string, int> $said
	 * @return array<string, int>
	 */
	private static function retry( array $keys, array $said ): array {
		$runs = array_filter( array_combine( $keys, array_map( array( Refused::class, 'retry' ), $keys ) ) );
		$end  = microtime( true ) + RowActions::SECONDS;
		foreach ( array_unique( $runs ) as $run ) {
			RowActions::work( $end - microtime( true ), static fn(): int => $run );
		}
		$states           = array_count_values( array_map( array( Refused::class, 'state' ), array_map( 'strval', array_keys( $runs ) ) ) );
		$said['gone']    += count( $keys ) - count( $runs );
		$said['through']  = $states['through'] ?? 0;
		$said['again']    = $states['refused'] ?? 0;
		$said['waits']    = $states['waits'] ?? 0;
		return $said;
	}

	private static function side(): string {
		return in_array( Choice::text( 'side' ), Refused::SIDES, true ) ? Choice::text( 'side' ) : '';
	}

	/** @return array<string, scalar> What the address of this list has. */
	private static function args(): array {
		return array_filter( array( 'side' => self::side() ) ) + RowActions::args();
	}

	/** Syncs that failed as a whole are elsewhere: whoever looks for a reason here is led there. */
	private static function dead(): void {
		$tenants = array_map( static fn( $tenant ): int => $tenant->key, Choice::tenants( Capabilities::SYNC ) );
		$count   = count( DeadLetters::list( array_values( $tenants ) ) );
		if ( $count ) {
			/* translators: %s: number of syncs */
			printf( '<p>%s <a href="%s">%s</a></p>', esc_html( sprintf( _n( '%s sync failed as a whole.', '%s syncs failed as a whole.', $count, 'tenant-crm-sync' ), number_format_i18n( $count ) ) ), esc_url( Screens::url( Screens::OVERVIEW ) ), esc_html__( 'See the Overview', 'tenant-crm-sync' ) );
		}
	}

	private static function said(): void {
		$words = array(
			/* translators: %s: number of rows */
			'through' => array( 'success', _n_noop( '%s row got through.', '%s rows got through.', 'tenant-crm-sync' ) ),
			/* translators: %s: number of rows */
			'again'   => array( 'warning', _n_noop( '%s row was refused again: its reason says why.', '%s rows were refused again: their reasons say why.', 'tenant-crm-sync' ) ),
			/* translators: %s: number of rows */
			'waits'   => array( 'info', _n_noop( '%s row is queued to be tried again. WP-Cron or “bin/tenant-crm work” does it.', '%s rows are queued to be tried again. WP-Cron or “bin/tenant-crm work” does it.', 'tenant-crm-sync' ) ),
			/* translators: %s: number of rows */
			'dropped' => array( 'success', _n_noop( '%s row was dropped.', '%s rows were dropped.', 'tenant-crm-sync' ) ),
			/* translators: %s: number of rows */
			'gone'    => array( 'warning', _n_noop( '%s row is not refused any more, or is not yours.', '%s rows are not refused any more, or are not yours.', 'tenant-crm-sync' ) ),
		);
		foreach ( $words as $name => list( $type, $text ) ) {
			$count = absint( Choice::text( $name ) );
			if ( $count ) {
				Notices::show( $type, sprintf( translate_nooped_plural( $text, $count, 'tenant-crm-sync' ), number_format_i18n( $count ) ), true );
			}
		}
		RowActions::said_nothing();
	}
}
