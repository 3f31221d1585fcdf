<?php
/**
 * Counts checks and says what failed. No test framework: these cases are one long story with a real server, not units.
 */

declare(strict_types=1);

namespace TenantCRM\Tests\Fpm;

final class Checks {

	private int $passed = 0;
	private int $failed = 0;

	public function group( string $name ): void {
		echo "# $name\n";
	}

	public function is( string $what, bool $holds, string $detail = '' ): void {
		$holds ? ++$this->passed : ++$this->failed;
		echo $holds ? '  ok      ' : '  FAILED  ', $what, $holds || '' === $detail ? '' : "\n          " . addcslashes( $detail, "\0..\11\13..\37\177..\377" ), "\n";
	}

	public function same( string $what, mixed $expected, mixed $got ): void {
		$this->is( $what, $expected === $got, 'expected ' . json_encode( $expected ) . ', got ' . json_encode( $got ) );
	}

	public function finish(): int {
		echo "{$this->passed} passed, {$this->failed} failed\n";
		return 0 === $this->failed && $this->passed > 0 ? 0 : 1;
	}
}
