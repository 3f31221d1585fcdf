<?php
/**
 * WP-Cron's part: an event every five minutes that enqueues what is due, works a bounded slice and keeps the tables bounded.
 *
 * The article's own event, tenant_crm_sync_event, belongs to the site and is not touched.
 *
 * @package TenantCRM
 */

namespace TenantCRM;

final class Cron {

	public const EVENT    = 'tenant_crm_sync_tick';
	public const SCHEDULE = 'tenant_crm_sync_five_minutes';

	/** Well below the 60 s after which WordPress starts another cron beside this one. */
	private const SECONDS = 25.0;

	public static function register(): void {
		add_filter( 'cron_schedules', array( self::class, 'add_schedule' ) ); // phpcs:ignore WordPress.WP.CronInterval -- five minutes.
		add_action( self::EVENT, array( self::class, 'tick' ) );
		// Events get lost: by a killed cron, by a plugin that cleans up too much.
		add_action( 'admin_init', array( self::class, 'schedule' ) );
	}

	/**
	 * @param mixed $schedules
	 * @return array<string, array{interval: int, display: string}>
	 */
	public static function add_schedule( $schedules ): array {
		$schedules                   = is_array( $schedules ) ? $schedules : array();
		$schedules[ self::SCHEDULE ] = array(
			'interval' => 5 * MINUTE_IN_SECONDS,
			// Other plugins ask while plugins are loaded: for translations that is too early, and WordPress 6.7 complains.
			'display'  => did_action( 'after_setup_theme' ) ? __( 'Every five minutes', 'tenant-crm-sync' ) : 'Every five minutes',
		);
		return $schedules;
	}

	public static function schedule(): void {
		if ( ! wp_next_scheduled( self::EVENT ) ) {
			wp_schedule_event( time(), self::SCHEDULE, self::EVENT );
		}
	}

	public static function unschedule(): void {
		wp_clear_scheduled_hook( self::EVENT );
	}

	public static function tick(): void {
		self::work( 'wp-cron', self::SECONDS );
	}

	/** What whoever wakes the plugin at fixed times has it do. */
	public static function work( string $who, float $seconds ): void {
		if ( ! Schema::is_current() ) {
			return;
		}
		try {
			Wakers::seen( $who );
			self::enqueue_due();
			Jobs::reap();
			Tenants::sweep();
			Webhooks\Subscriptions::enqueue_due();
			Webhooks\Inbox::sweep();
			Worker::run( $seconds );
			Alerts::check();
			self::prune();
		} catch ( StoreException $e ) {
			// The database fails just now, so there is no log either. Events of other plugins in this request must not die of it.
			error_log( $e->getMessage() ); // phpcs:ignore WordPress.PHP.DevelopmentFunctions
		}
	}

	/** Keeps the tables bounded. */
	public static function prune(): void {
		Runs::prune();
		Log::prune();
		Attempts::prune();
		DeadLetters::prune();
		Refused::prune();
		Webhooks\Inbox::prune();
		TwoWay\Conflicts::prune();
		HookStore::sweep();
	}

	/** @return int How many tenants were due. */
	public static function enqueue_due(): int {
		$due = Tenants::take_due();
		foreach ( $due as $tenant ) {
			try {
				Jobs::enqueue( $tenant->key );
				if ( TwoWay\Rules::of( $tenant, 'leads' )->is_two_way() ) {
					// For what no hook told of.
					Jobs::enqueue( $tenant->key, TwoWay\Changes::KIND );
				}
			} catch ( \RuntimeException $e ) {
				// The others are due, too.
				Log::add( $tenant->key, 'error', $e->getMessage() );
			}
		}
		TwoWay\Changes::enqueue_due();
		return count( $due );
	}
}
