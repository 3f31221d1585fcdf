<?php
/**
 * What must hold once everything works again, whatever was broken: nothing lost, nothing doubled, no tenant's data elsewhere, nothing stuck, no
 * leak, nothing unexpected in any log.
 */

declare(strict_types=1);

namespace TenantCRM\Tests\Chaos;

use TenantCRM\Tests\Fpm\Checks;
use TenantCRM\Tests\Fpm\Master;

final class Verdict {

	/** What the servers' and WordPress's own lines are on any day. */
	private const ORDINARY = array(
		'~PHP Deprecated: .*/wp-(includes|admin)/~',
		'~ NOTICE: ~',
		'~\[Note\]|^Version: |mariadbd: ready for connections~',
	);

	/** Bounds of one FPM worker after any case: of memory that is its own, and of what it has open. */
	private const ANON_KB = 64 * 1024;
	private const FDS     = 40;
	private const THREADS = 8;

	/** Files of limits: one that was removed stays mapped, and open, but no more than 64 of them. */
	private const FILES = 66;

	public function __construct( private readonly Checks $checks, private readonly Site $site ) {
	}

	/** @param list<string> $allowed Patterns of lines that this case brings into logs. */
	public function give( array $allowed ): void {
		$is_quiet = $this->site->settle();
		$this->checks->is( 'nothing is stuck: the queue is empty', $is_quiet, implode( "\n", array_slice( $this->site->left(), 0, 5 ) ) );
		$this->tenants();
		$this->forms();
		$this->runs( $allowed );
		$this->resources();
		$this->logs( $allowed );
	}

	private function tenants(): void {
		$rows  = 0;
		$wrong = array();
		foreach ( $this->site->tenants as $id => $tenant ) {
			$id   = (string) $id;
			$crm  = \Sandbox::leads( $id );
			$rows += count( $crm );
			$wrong = array( ...$wrong, ...$this->differences( $id, $tenant, $crm ) );
		}
		$this->checks->same( 'CRM, ledger and posts are equal, nobody is doubled or at another tenant', array(), array_slice( $wrong, 0, 6 ) );
		$alone = $this->site->rows( "SELECT p.ID, p.post_status, p.post_name, p.post_title, (SELECT GROUP_CONCAT(CONCAT(m.meta_key, '=', m.meta_value)) FROM wp_postmeta m WHERE m.post_id = p.ID) FROM wp_posts p LEFT JOIN {records} r ON r.post_id = p.ID WHERE p.post_type = 'crm_lead' AND r.id IS NULL LIMIT 3" );
		$this->checks->same( 'no post without a record, no record without a post', array( $rows, $rows, array() ), array( $this->site->number( "SELECT COUNT(*) FROM wp_posts WHERE post_type = 'crm_lead'" ), $this->site->number( 'SELECT COUNT(*) FROM {records}' ), $alone ) );
		$this->site->checked += $rows;
	}

	/**
	 * @param array<string, mixed>       $tenant
	 * @param list<array<string, mixed>> $crm
	 * @return list<string>
	 */
	private function differences( string $id, array $tenant, array $crm ): array {
		$wrong = array();
		$wants = array();
		$seen  = array();
		foreach ( $crm as $lead ) {
			$wants[ (string) $lead['id'] ]   = array( (string) $lead['name'], (string) $lead['email'], (string) $lead['phone'] );
			$seen[ (string) $lead['email'] ] = 1 + ( $seen[ (string) $lead['email'] ] ?? 0 );
			if ( ! str_ends_with( (string) $lead['email'], "@{$tenant['domain']}" ) || ! str_ends_with( (string) $lead['name'], " of $id" ) ) {
				$wrong[] = "$id has in its CRM: {$lead['name']} {$lead['email']}";
			}
		}
		foreach ( array_filter( $seen, static fn( int $times ): bool => $times > 1 ) as $email => $times ) {
			$wrong[] = "$id: $email is $times times in the CRM";
		}
		$ledger = array();
		foreach ( $this->site->rows( "SELECT crm_id, post_id, name, email FROM {records} WHERE tenant = {$tenant['key']} AND object = 'leads'" ) as list( $lead, $post, $name, $email ) ) {
			$ledger[ $lead ] = (int) $post;
			if ( array( $name, $email ) !== array_slice( $wants[ $lead ] ?? array(), 0, 2 ) ) {
				$wrong[] = "$id: the projection of lead $lead is $name, $email, not " . json_encode( $wants[ $lead ] ?? null );
			}
		}
		$posts = array();
		foreach ( $this->site->rows( "SELECT p.ID, p.post_title, c.meta_value, e.meta_value, h.meta_value FROM wp_posts p JOIN wp_postmeta t ON t.post_id = p.ID AND t.meta_key = '_tenant_id' AND BINARY t.meta_value = '$id' LEFT JOIN wp_postmeta c ON c.post_id = p.ID AND c.meta_key = 'crm_lead_id' LEFT JOIN wp_postmeta e ON e.post_id = p.ID AND e.meta_key = 'email' LEFT JOIN wp_postmeta h ON h.post_id = p.ID AND h.meta_key = 'phone' WHERE p.post_type = 'crm_lead'" ) as list( $post, $title, $lead, $email, $phone ) ) {
			$has = array( html_entity_decode( (string) $title, ENT_QUOTES | ENT_HTML5 ), (string) $email, (string) $phone );
			if ( isset( $posts[ (string) $lead ] ) || ( $ledger[ (string) $lead ] ?? 0 ) !== (int) $post || ( $wants[ (string) $lead ] ?? null ) !== $has ) {
				$wrong[] = "$id: post $post of lead $lead is " . json_encode( $has ) . ', not ' . json_encode( $wants[ (string) $lead ] ?? null ) . '; the ledger has post ' . ( $ledger[ (string) $lead ] ?? 'none' );
			}
			$posts[ (string) $lead ] = true;
		}
		foreach ( array_diff_key( $wants, $posts ) as $lead => $values ) {
			$wrong[] = "$id: lead $lead is missing: " . json_encode( $values );
		}
		foreach ( array_diff_key( $ledger, $wants ) as $lead => $post ) {
			$wrong[] = "$id: the ledger has lead $lead, which the CRM has not";
		}
		return $wrong;
	}

	/** Each form that was accepted is one lead of its tenant's CRM; of one that got no answer nobody knows, but twice it is not there. */
	private function forms(): void {
		$lost    = array();
		$foreign = array();
		$sent    = 0;
		$emails  = array();
		foreach ( array_keys( $this->site->tenants ) as $id ) {
			$emails[ $id ] = array_flip( array_column( \Sandbox::leads( (string) $id ), 'email' ) );
		}
		foreach ( $this->site->crowds as $crowd ) {
			$sent   += count( $crowd->accepted );
			$foreign = array( ...$foreign, ...$crowd->foreign );
			foreach ( $crowd->accepted as $email => $tenant ) {
				if ( ! isset( $emails[ $tenant ][ $email ] ) ) {
					$lost[] = "$email of $tenant";
				}
			}
			ksort( $crowd->answers );
			echo '  (', implode( ', ', array_map( static fn( string $what, int $times ): string => "$times $what", array_keys( $crowd->answers ), $crowd->answers ) ), ")\n";
		}
		if ( $this->site->crowds ) {
			$this->checks->is( "each of the $sent forms that were accepted is in its CRM", array() === $lost && $sent > 0, implode( ', ', array_slice( $lost, 0, 5 ) ) );
			$this->checks->same( 'nobody was shown a lead of another tenant', array(), array_slice( $foreign, 0, 5 ) );
			$this->site->checked += $sent;
		}
	}

	/** @param list<string> $allowed */
	private function runs( array $allowed ): void {
		$this->checks->same( 'no run is left half done', array(), $this->site->rows( "SELECT kind, state, error FROM {runs} WHERE state NOT IN ('done', 'failed') LIMIT 3" ) );
		$said = array_column( $this->site->rows( "SELECT error FROM {runs} WHERE state = 'failed' UNION SELECT message FROM {log} WHERE level = 'error'" ), 0 );
		$this->checks->same( 'nothing failed for good, and the portal\'s own log has no error', array(), array_slice( self::unexpected( implode( "\n", $said ), $allowed ), 0, 3 ) );
		$this->checks->same( 'the counts of each run add up', array(), $this->site->rows( 'SELECT id, kind, tenant, fetched, created, updated, unchanged, refused FROM {runs} WHERE fetched <> created + updated + unchanged + refused LIMIT 3' ) );
		$this->site->checked += $this->site->number( 'SELECT COUNT(*) FROM {runs}' );
	}

	private function resources(): void {
		$wrong   = array();
		$workers = Master::workers( 'www' );
		foreach ( $workers as $pid ) {
			$status = (string) @file_get_contents( "/proc/$pid/status" );
			$open   = array_map( static fn( string $file ): string => (string) @readlink( $file ), (array) glob( "/proc/$pid/fd/*" ) );
			$files  = count( preg_grep( '~/limits( \(deleted\))?$~', $open ) );
			$has    = array(
				'kB of memory'    => array( preg_match( '/^RssAnon:\s+(\d+)/m', $status, $match ) ? (int) $match[1] : PHP_INT_MAX, self::ANON_KB ),
				'threads'         => array( preg_match( '/^Threads:\s+(\d+)/m', $status, $match ) ? (int) $match[1] : 0, self::THREADS ),
				'open files'      => array( count( $open ) - $files, self::FDS ),
				'files of limits' => array( $files, self::FILES ),
			);
			foreach ( $has as $what => list( $number, $bound ) ) {
				if ( $number > $bound ) {
					$wrong[] = "worker $pid has $number $what";
				}
			}
		}
		$this->checks->is( 'FPM has its workers, and none of them memory, threads or files without bound', 5 === count( $workers ) && array() === $wrong, count( $workers ) . ' workers; ' . implode( ', ', $wrong ) );
		$gone = static function ( callable $left ): int {
			for ( $tries = 0; $left() > 0 && $tries < 50; $tries++ ) {
				usleep( 100000 );
			}
			return $left();
		};
		$this->checks->same( 'nobody is connected to the database any more', 0, $gone( fn(): int => $this->site->number( "SELECT COUNT(*) FROM information_schema.PROCESSLIST WHERE USER = 'wp'" ) ) );
		$open = json_decode( (string) file_get_contents( getenv( 'TCS_SANDBOX_CONTROL' ) . '/stats' ), true )['open'];
		$this->checks->is( 'each process keeps a few connections to the CRM at most', $open <= 4 * ( 1 + count( $workers ) ), "$open" );
		$stack = (string) getenv( 'TCS_STACK' );
		$this->checks->same( 'no unfinished file is left', array(), array( ...glob( "$stack/shm/*.new" ), ...glob( "$stack/keys/tenants/{.,}*.{new,tmp}", GLOB_BRACE ) ) );
	}

	/** @param list<string> $allowed */
	private function logs( array $allowed ): void {
		$wrong = array();
		$text  = '';
		foreach ( $this->site->logged() as $name => $content ) {
			$text .= $content;
			foreach ( 'access.log' === $name ? array() : self::unexpected( $content, $allowed ) as $line ) {
				$wrong[] = "$name: $line";
			}
		}
		$this->checks->same( 'nothing unexpected is in any log', array(), array_slice( $wrong, 0, 4 ) );
		$lines = array_filter( explode( "\n", (string) @file_get_contents( getenv( 'TCS_STACK' ) . '/disk/requests.jsonl' ) ) );
		$text .= implode( "\n", $lines );
		$this->checks->is( 'no key is in any log', ! str_contains( $text, 'key-of-' ) );
		$this->site->checked += count( $lines );
	}

	/**
	 * @param list<string> $allowed
	 * @return list<string> Lines that nobody expects.
	 */
	private static function unexpected( string $text, array $allowed ): array {
		$wrong = array();
		foreach ( explode( "\n", $text ) as $line ) {
			foreach ( array( ...self::ORDINARY, ...$allowed, '~^\s*$~' ) as $pattern ) {
				if ( 1 === preg_match( $pattern, $line ) ) {
					continue 2;
				}
			}
			$wrong[] = substr( $line, 0, 400 );
		}
		return $wrong;
	}
}
