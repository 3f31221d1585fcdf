<?php
/**
 * Prepended to a worker: takes TCS_BALLAST bytes of the memory that PHP gives it before it begins.
 */

$tcs_chaos_ballast = str_repeat( 'x', (int) getenv( 'TCS_BALLAST' ) );
