<?php
/**
 * One thing to ask for.
 */

declare(strict_types=1);

namespace TenantCRM\Tests\Crawl;

final class Target {

	/**
	 * @param string       $name    Its line in the table.
	 * @param string       $path    From the site's root.
	 * @param list<string> $headers
	 * @param list<string> $for     Visitors who ask for it.
	 * @param bool         $is_ours Whether its status is ours to promise; of WordPress's own only what is seen counts.
	 */
	public function __construct(
		public readonly string $name,
		public readonly string $path,
		public readonly string $method = 'GET',
		public readonly ?string $body = null,
		public readonly array $headers = array(),
		public readonly array $for = Visitors::NAMES,
		public readonly bool $is_ours = true
	) {
	}

	public function is_rest(): bool {
		return str_starts_with( $this->path, '/wp-json/' );
	}
}
