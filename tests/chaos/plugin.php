<?php
/**
 * A must-use plugin of the site under chaos: a process that is started with TCS_CHAOS=WAY:N dies before its Nth statement to the database,
 * once WordPress has loaded. WAY is kill (signal 9), memory (memory_limit) or time (max_execution_time).
 */

if ( preg_match( '/^(kill|memory|time):(\d+)$/D', (string) getenv( 'TCS_CHAOS' ), $tcs_chaos ) ) {
	add_action(
		'wp_loaded',
		static function () use ( $tcs_chaos ): void {
			$left = (int) $tcs_chaos[2];
			add_filter(
				'query',
				static function ( $sql ) use ( &$left, $tcs_chaos ) {
					if ( 0 === --$left ) {
						file_put_contents( 'php://stderr', "died before: $sql\n" );
						match ( $tcs_chaos[1] ) {
							'kill'   => posix_kill( getmypid(), SIGKILL ),
							'memory' => str_repeat( 'x', 1 << 30 ),
							'time'   => set_time_limit( 1 ),
						};
						for ( ;; ) {
							continue;
						}
					}
					return $sql;
				}
			);
		}
	);
}
