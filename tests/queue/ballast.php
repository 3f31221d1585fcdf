<?php
/**
 * Prepended to a worker: takes most of the memory that PHP gives it before it begins.
 */

$tcs_queue_ballast = str_repeat( 'x', 130 << 20 );
