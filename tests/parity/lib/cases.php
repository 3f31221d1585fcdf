<?php
/**
 * All cases, by name. A case is an array of
 *   crm       what the CRM does: the sandbox's faults; without it the sandbox answers as a CRM would
 *   rows      rows that are in it
 *   settings  what differs in the tenant's settings; lookup: a function to stand for the site's settings function
 *   call      function( callable $make ): mixed, what is done with the class; without it fetch_leads()
 *   slow      the case waits: it gets a process of its own; a number of seconds starts it early
 *   trust     the sandbox's CA is trusted; ini: settings of the extension (both only in slow cases)
 *   why       the reason for a difference between the article's class and ours; without it there must be none
 */

declare(strict_types=1);

namespace TenantCRM\Tests\Parity;

/** @return array<string, array<string, mixed>> */
function cases(): array {
	static $cases = [];
	foreach ( $cases ? [] : groups() as $group ) {
		foreach ( ( static fn() => require __DIR__ . "/../cases/$group.php" )() as $name => $case ) {
			if ( isset( $cases[ $name ] ) ) {
				throw new \LogicException( "two cases are called '$name'" );
			}
			$cases[ $name ] = $case + [ 'group' => $group ];
		}
	}
	return $cases;
}

/** @return list<string> */
function groups(): array {
	return array_map( static fn( $file ) => basename( $file, '.php' ), glob( __DIR__ . '/../cases/*.php' ) );
}
