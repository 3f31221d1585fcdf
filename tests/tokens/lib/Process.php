<?php
/**
 * One PHP process of the site, which does one call to the CRM: started, watched and killed from outside.
 */

declare(strict_types=1);

namespace TenantCRM\Tests\Tokens;

final class Process {

	/** @var resource */
	private $process;

	/** @var resource */
	private $output;

	private string $seen = '';

	/** @param array<string, mixed> $order */
	private function __construct( array $order ) {
		$command       = array( PHP_BINARY, '-d', 'memory_limit=256M', __DIR__ . '/../worker.php', (string) json_encode( $order ) );
		$this->process = proc_open( $command, array( 1 => array( 'pipe', 'w' ) ), $pipes );
		$this->output  = $pipes[1];
		stream_set_blocking( $this->output, false );
	}

	/** @param array<string, mixed> $order See worker.php. */
	public static function start( string $tenant, array $order = array() ): self {
		return new self( array( 'tenant' => "tokens-$tenant" ) + $order );
	}

	/** @return array{outcome: string, message: string, retry_after: ?float, seconds: float} */
	public static function finish( self $one ): array {
		stream_set_blocking( $one->output, true );
		$text = $one->seen . stream_get_contents( $one->output );
		proc_close( $one->process );
		$found = json_decode( trim( str_replace( "reached\n", '', $text ) ), true );
		return is_array( $found ) ? $found : array( 'outcome' => 'died', 'message' => $text, 'retry_after' => null, 'seconds' => 0.0 );
	}

	/** Whether it stands where it is to be killed. */
	public function has_reached_its_step(): bool {
		$this->seen .= stream_get_contents( $this->output );
		return str_contains( $this->seen, "reached\n" );
	}

	public function kill(): void {
		proc_terminate( $this->process, 9 );
		stream_set_blocking( $this->output, true );
		stream_get_contents( $this->output );
		proc_close( $this->process );
	}

	/** @param callable(): bool $holds */
	public static function wait( callable $holds, float $seconds ): bool {
		$end = microtime( true ) + $seconds;
		while ( ! $holds() ) {
			if ( microtime( true ) > $end ) {
				return false;
			}
			usleep( 20000 );
		}
		return true;
	}
}
