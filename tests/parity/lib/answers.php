<?php
/** Words for the case files: the sandbox's faults that make a CRM answer in a certain way. */

declare(strict_types=1);

namespace TenantCRM\Tests\Parity;

/**
 * Every request is answered with exactly this.
 *
 * @param array<string, string> $headers
 * @return list<array<string, mixed>>
 */
function answer( string $body, int $status = 200, array $headers = [ 'Content-Type' => 'application/json' ] ): array {
	return [ [ 'kind' => 'canned', 'times' => null, 'status' => $status, 'headers' => (object) $headers, 'body_base64' => base64_encode( $body ) ] ];
}

/** @return list<array<string, mixed>> These bytes on the wire, then the end of the connection. */
function raw( string $bytes ): array {
	return [ [ 'kind' => 'canned', 'times' => null, 'raw_base64' => base64_encode( $bytes ) ] ];
}

/**
 * @param array<string, mixed> $more
 * @return list<array<string, mixed>>
 */
function fault( string $kind, array $more = [] ): array {
	return [ [ 'kind' => $kind, 'times' => null ] + $more ];
}

/** @return list<array<string, mixed>> The first request is answered with this, the following ones as the sandbox likes. */
function once( array $faults ): array {
	$faults[0]['times'] = 1;
	return $faults;
}

/** A create with the lead that most cases use. */
function create( callable $make ): mixed {
	return $make()->create_lead( [ 'name' => 'Zoë', 'email' => 'zoe@example.test' ] );
}

/** An array inside an array, so many deep. */
function nested( int $levels ): array {
	$value = [];
	for ( $level = 1; $level < $levels; $level++ ) {
		$value = [ 'a' => $value ];
	}
	return $value;
}

enum Level: string {
	case High = 'high';
}

enum Kind {
	case One;
}

/** Gives, or throws, what it was made with. */
final class Speaks implements \JsonSerializable {
	public function __construct( private mixed $says ) {}

	public function jsonSerialize(): mixed {
		return $this->says instanceof \Throwable ? throw $this->says : $this->says;
	}
}
