<?php
/**
 * What came back, and which canaries are in it.
 */

declare(strict_types=1);

namespace TenantCRM\Tests\Crawl;

final class Answer {

	public function __construct( private readonly Target $target, private readonly int $status, private readonly string $text, private readonly string $error ) {
	}

	/**
	 * A cell of the table: status and the marks of what can be seen.
	 *
	 * @param array<string, list<string>> $canaries By mark.
	 */
	public function cell( array $canaries ): string {
		if ( '' !== $this->error ) {
			return "error: {$this->error}";
		}
		$cell = $this->target->is_ours || $this->is_broken() ? (string) $this->status : '';
		if ( $this->target->is_ours && $this->status >= 300 && $this->status < 400 && preg_match( '~^Location: .*/wp-login\.php~mi', $this->text ) ) {
			$cell .= ' login';
		}
		// The address that was asked for is no news.
		$text = str_ireplace( array( $this->target->path, rtrim( $this->target->path, '/' ) ), '', $this->text );
		foreach ( $canaries as $mark => $words ) {
			foreach ( $words as $word ) {
				if ( false !== stripos( $text, $word ) ) {
					$cell .= " $mark";
					break;
				}
			}
		}
		return '' === trim( $cell ) ? 'nothing' : trim( $cell );
	}

	public function body(): string {
		return (string) substr( $this->text, (int) strpos( $this->text, "\r\n\r\n" ) + 4 );
	}

	/** Something of PHP's or the database's own came out, or nothing did. */
	public function is_broken(): bool {
		// WordPress answers 500 where it refuses, too.
		return ( 500 === $this->status && $this->target->is_ours ) || $this->status > 500 || 0 === $this->status || 1 === preg_match( '~<b>(Fatal error|Warning|Notice|Deprecated)</b>|WordPress database error|There has been a critical error~', $this->text );
	}

	/** Whether a cache that others read from may keep it. */
	public function may_be_kept(): bool {
		return ! preg_match( '~^Cache-Control:.*(no-store|no-cache)~mi', $this->text );
	}

	/** Whether not even the browser of a shared computer may keep it. */
	public function is_private(): bool {
		return 1 === preg_match( '~^Cache-Control: .*no-store~mi', $this->text );
	}
}
