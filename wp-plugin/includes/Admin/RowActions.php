<?php
/**
 * The form around a table whose rows people decide about: its hidden fields, and what was asked for, by the button of one row or for all that
 * are ticked. Nonce, method and capability are checked here; whether the rows are the user's, each page checks row by row.
 */

namespace TenantCRM\Admin;

use TenantCRM\Capabilities;
use TenantCRM\Jobs;
use TenantCRM\StoreException;
use TenantCRM\TwoWay\Changes;
use TenantCRM\Worker;

final class RowActions {

	/** Seconds of work that a click brings along at most; a worker does the rest. */
	const SECONDS = 6.0;

	/** Rows of one form at most: a page of the largest size. */
	const MOST = 200;

	/** @param array<string, scalar> $args What the address of the list has, to come back to the same. */
	public static function open( string $slug, array $args ): void {
		printf( '<form method="post" class="tcs-rows" action="%s">', esc_url( Screens::url( $slug, $args ) ) );
		// The name that WordPress's own lists have is printed by the table itself.
		wp_nonce_field( $slug, 'tcs-nonce' );
	}

	/**
	 * @param list<string> $actions That there are.
	 * @return array{0: string, 1: list<string>}|null Action, empty where none was chosen, and keys of rows; null: nothing was posted.
	 */
	public static function asked( string $slug, array $actions ): ?array {
		if ( 'POST' !== ( $_SERVER['REQUEST_METHOD'] ?? '' ) ) {
			return null;
		}
		check_admin_referer( $slug, 'tcs-nonce' );
		if ( ! current_user_can( Capabilities::SYNC ) ) {
			wp_die( esc_html__( 'You are not allowed to do this.', 'tenant-crm-sync' ), '', array( 'response' => 403 ) );
		}
		$text = static fn( string $name ): string => isset( $_POST[ $name ] ) && is_string( $_POST[ $name ] ) ? sanitize_text_field( wp_unslash( $_POST[ $name ] ) ) : '';
		list( $action, $key ) = explode( ':', $text( 'one' ) . ':' );
		$keys                 = array( $key );
		if ( '' === $action ) {
			$keys = isset( $_POST['rows'] ) && is_array( $_POST['rows'] ) ? array_values( array_unique( array_filter( array_map( 'sanitize_text_field', wp_unslash( $_POST['rows'] ) ) ) ) ) : array();
			foreach ( array( 'all', 'action', 'action2' ) as $name ) {
				$action = in_array( $action, $actions, true ) ? $action : $text( $name );
			}
		}
		return in_array( $action, $actions, true ) ? array( $action, array_slice( $keys, 0, self::MOST ) ) : array( '', array() );
	}

	/** @return array<string, scalar> What the address of a list has: tenant, words, page. */
	public static function args(): array {
		$page = absint( $_REQUEST['paged'] ?? 0 ); // phpcs:ignore WordPress.Security -- which page is shown; the table's own field sends it, too.
		return array_filter(
			array(
				'tenant' => absint( Choice::text( 'tenant' ) ),
				's'      => Choice::words(),
				'paged'  => $page > 1 ? $page : 0,
			)
		);
	}

	/** After a form in which nothing was chosen (`none`). */
	public static function said_nothing(): void {
		if ( absint( Choice::text( 'none' ) ) ) {
			Notices::show( 'warning', __( 'Nothing was done: choose an action, and tick the rows that it is for.', 'tenant-crm-sync' ), true );
		}
	}

	/**
	 * A notice after an action, with a form for its button.
	 *
	 * @param list<string> $keys Of rows; the button is only shown where there are some.
	 */
	public static function notice( string $text, string $slug, array $args, string $action, string $button, array $keys ): void {
		echo '<div class="notice notice-success is-dismissible" role="status">';
		self::open( $slug, $args );
		printf( '<p>%s', esc_html( $text ) );
		foreach ( $keys as $key ) {
			printf( '<input type="hidden" name="rows[]" value="%s">', esc_attr( $key ) );
		}
		if ( $keys ) {
			printf( ' <button class="button-link" name="all" value="%s">%s</button>', esc_attr( $action ), esc_html( $button ) );
		}
		echo '</p></form></div>';
	}

	/**
	 * Has what was decided pushed as soon as the browser has its answer, so that a click works though WP-Cron is off. Where PHP cannot answer before
	 * it ends, whoever works next does it.
	 *
	 * @param array<string, array{0: int, 1: string}> $pushes Tenant and object.
	 */
	public static function push_afterwards( array $pushes ): void {
		if ( ! $pushes || ! function_exists( 'fastcgi_finish_request' ) ) {
			return;
		}
		add_action(
			'shutdown',
			static function () use ( $pushes ): void {
				ignore_user_abort( true );
				fastcgi_finish_request();
				$end = microtime( true ) + self::SECONDS;
				foreach ( $pushes as list( $tenant, $object ) ) {
					self::work( $end - microtime( true ), static fn(): int => Jobs::enqueue( $tenant, Changes::KIND, $object, Jobs::PRIORITY_CLICK ) );
				}
			},
			20
		);
	}

	/**
	 * Works on a run for some seconds, if there are any; where the database fails just now, whoever comes next does it.
	 *
	 * @param callable(): int $run
	 */
	public static function work( float $seconds, callable $run ): void {
		try {
			$seconds > 0 ? Worker::run( $seconds, $run() ) : null;
		} catch ( StoreException $e ) {
			unset( $e );
		}
	}

	/** Style of these screens. */
	public static function style(): void {
		add_action( 'admin_enqueue_scripts', static fn() => wp_enqueue_style( 'tenant-crm-sync-rows', Screens::asset( 'rows.css' ), array( 'tenant-crm-sync' ), Screens::version( 'rows.css' ) ), 20 );
	}
}
