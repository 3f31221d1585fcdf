<?php
/**
 * Counts tests: one holds if all its checks do and nothing is thrown. Knows nothing of what is tested.
 */

declare(strict_types=1);

namespace TenantCRM\Tests\Connectors;

final class Tests {

	private int $passed   = 0;
	private int $failed   = 0;
	private string $group = '';
	/** @var list<string> What is wrong with the test that runs. */
	private array $wrong = [];

	public function group( string $name ): void {
		$this->group = $name;
	}

	public function test( string $title, callable $body ): void {
		$this->wrong = [];
		try {
			$body();
		} catch ( \Throwable $thrown ) {
			$this->wrong[] = get_class( $thrown ) . ': ' . $thrown->getMessage() . ' at ' . basename( $thrown->getFile() ) . ':' . $thrown->getLine();
		}
		if ( [] === $this->wrong ) {
			++$this->passed;
			return;
		}
		++$this->failed;
		echo "FAILED $this->group: $title\n  ", implode( "\n  ", array_slice( $this->wrong, 0, 5 ) ), "\n";
	}

	public function same( string $what, mixed $expected, mixed $actual ): void {
		if ( $expected !== $actual ) {
			$this->wrong[] = "$what: expected {$this->shown( $expected )}, actual {$this->shown( $actual )}";
		}
	}

	public function yes( string $what, bool $holds, mixed $actual = null ): void {
		if ( ! $holds ) {
			$this->wrong[] = $what . ( null === $actual ? '' : ": actual {$this->shown( $actual )}" );
		}
	}

	/** @param list<mixed> $expected */
	public function one_of( string $what, array $expected, mixed $actual ): void {
		$this->yes( "$what: one of {$this->shown( $expected )}", in_array( $actual, $expected, true ), $actual );
	}

	/** Two sets of ids: tells how many are missing and which come first. @param list<string> $expected @param list<string> $actual */
	public function same_ids( string $what, array $expected, array $actual ): void {
		$missing = array_values( array_diff( $expected, $actual ) );
		$foreign = array_values( array_diff( $actual, $expected ) );
		$this->yes( "$what: " . count( $missing ) . ' missing ' . $this->shown( array_slice( $missing, 0, 3 ) ), [] === $missing );
		$this->yes( "$what: " . count( $foreign ) . ' too many ' . $this->shown( array_slice( $foreign, 0, 3 ) ), [] === $foreign );
	}

	public function finish(): int {
		echo "$this->passed passed, $this->failed failed\n";
		return 0 === $this->failed && $this->passed > 0 ? 0 : 1;
	}

	private function shown( mixed $value ): string {
		return substr( (string) preg_replace( '/\s+/', ' ', var_export( $value, true ) ), 0, 400 );
	}
}
