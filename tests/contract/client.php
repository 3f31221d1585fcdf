<?php
/**
 * The PHP class at work for the contract suite: pulls, reads and writes with one connector against what TCS_PLAN names.
 * Prints one line for each test; what Prism makes of the requests is judged elsewhere (lib/judge.mjs).
 */

declare(strict_types=1);

echo '';
