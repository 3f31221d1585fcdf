<?php
/**
 * Action Scheduler's part, where another plugin of the site brings it (it is never bundled): a recurring action beside WP-Cron's event, and
 * one at once for a click. What is worked is in Cron.
 *
 * @package TenantCRM
 */

namespace TenantCRM;

final class ActionScheduler {

	/** Not WP-Cron's event: whatever runs that one should not run this one. */
	public const HOOK = 'tenant_crm_sync_action';

	private const GROUP    = 'tenant-crm-sync';
	private const INTERVAL = 5 * MINUTE_IN_SECONDS;

	/** Its queue takes 30 s for all actions of a batch. */
	private const SECONDS = 20.0;

	public static function register(): void {
		add_action( self::HOOK, array( self::class, 'work' ) );
		// Its functions may be called from here on.
		add_action( 'action_scheduler_init', array( self::class, 'schedule' ) );
	}

	public static function work(): void {
		Cron::work( 'action scheduler', self::SECONDS );
	}

	/** Only where somebody is about to look after the site's schedule: a visitor's request has no time for it. */
	public static function schedule(): void {
		if ( ! self::is_there() || ! ( is_admin() || wp_doing_cron() || 'cli' === PHP_SAPI ) || as_next_scheduled_action( self::HOOK, array(), self::GROUP ) ) {
			return;
		}
		as_schedule_recurring_action( time(), self::INTERVAL, self::HOOK, array(), self::GROUP );
	}

	/** Something is to be done now. One action that waits is enough for all of it. */
	public static function ring(): void {
		if ( self::is_there() && did_action( 'action_scheduler_init' ) && ! self::is_waiting() ) {
			as_enqueue_async_action( self::HOOK, array( 'now' ), self::GROUP );
		}
	}

	public static function unschedule(): void {
		if ( self::is_there() && did_action( 'action_scheduler_init' ) ) {
			as_unschedule_all_actions( self::HOOK );
		}
	}

	/** True, and not a time: it is to run at once. */
	private static function is_waiting(): bool {
		return true === as_next_scheduled_action( self::HOOK, array( 'now' ), self::GROUP );
	}

	private static function is_there(): bool {
		return function_exists( 'as_enqueue_async_action' ) && function_exists( 'as_schedule_recurring_action' ) && function_exists( 'as_next_scheduled_action' ) && function_exists( 'as_unschedule_all_actions' );
	}
}
