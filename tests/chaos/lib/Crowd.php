<?php
/**
 * People at the portal while it breaks: visitors who send forms, code that fetches a tenant's leads, cron. They come through nginx and FPM,
 * remember what they were told, and do not mind.
 */

declare(strict_types=1);

namespace TenantCRM\Tests\Chaos;

final class Crowd {

	/** @var array<string, string> Forms by e-mail address: the tenant. Those that were answered, and those of which nobody knows. */
	public array $accepted = array();
	public array $unknown  = array();

	/** @var array<string, int> Answers by what they were: 200, 500, nothing… */
	public array $answers = array();

	/** @var list<string> What somebody was shown and should not have been. */
	public array $foreign = array();

	/** @var array<int, string> Files by process id. */
	private array $people = array();

	private function __construct( private readonly string $stop ) {
	}

	/** @param array<string, array<string, mixed>> $tenants Of the site, by id. */
	public static function come( Site $site, int $count, array $tenants ): self {
		static $number = 0;
		$folder = getenv( 'TCS_STACK' ) . '/chaos';
		$self   = new self( "$folder/stop-" . ++$number );
		for ( $person = 0; $person < $count; $person++ ) {
			$file = "$folder/person-$number-$person";
			$pid  = pcntl_fork();
			if ( 0 === $pid ) {
				mt_srand( $site->seed + 1000 * $number + $person );
				$self->live( $file, "n{$number}p$person", $tenants );
				posix_kill( getmypid(), SIGKILL ); // Not exit(): the parent's shutdown code is not the child's to run.
			}
			$self->people[ $pid ] = $file;
		}
		return $self;
	}

	/** Lets them finish what they are at, and hears what they have seen. */
	public function leave(): self {
		touch( $this->stop );
		foreach ( $this->people as $pid => $file ) {
			pcntl_waitpid( $pid, $status );
			foreach ( is_file( $file ) ? file( $file ) : array() as $line ) {
				$this->hear( ...json_decode( $line, true ) );
			}
		}
		$this->people = array();
		return $this;
	}

	/** The people's processes, for whoever must not wait for them. */
	public function send_away(): void {
		foreach ( array_keys( $this->people ) as $pid ) {
			posix_kill( $pid, SIGKILL );
			pcntl_waitpid( $pid, $status );
		}
	}

	/** @param array<string, mixed>|null $answer */
	private function hear( string $do, string $tenant, string $domain, string $email, int $status, ?array $answer ): void {
		$what                   = "$do " . ( 0 === $status ? 'unanswered' : (string) $status );
		$this->answers[ $what ] = 1 + ( $this->answers[ $what ] ?? 0 );
		if ( 'push' === $do ) {
			isset( $answer['post'] ) ? $this->accepted[ $email ] = $tenant : $this->unknown[ $email ] = $tenant;
		}
		foreach ( is_array( $answer['emails'] ?? null ) ? $answer['emails'] : array() as $seen ) {
			if ( ! str_ends_with( (string) $seen, "@$domain" ) ) {
				$this->foreign[] = "$tenant was shown $seen";
			}
		}
	}

	/** @param array<string, array<string, mixed>> $tenants */
	private function live( string $file, string $name, array $tenants ): void {
		$two_way = array_keys( array_filter( $tenants, static fn( array $tenant ): bool => $tenant['is_two_way'] ) );
		$all     = array_keys( $tenants );
		$curl    = curl_init();
		$log     = fopen( $file, 'w' );
		for ( $turn = 1; ! is_file( $this->stop ); $turn++ ) {
			$do     = array( 'push', 'push', 'push', 'fetch', 'fetch', 'cron' )[ mt_rand( 0, 5 ) ];
			$from   = 'push' === $do ? $two_way : $all;
			$tenant = (string) $from[ mt_rand( 0, count( $from ) - 1 ) ];
			$domain = $tenants[ $tenant ]['domain'];
			$email  = "$name-$turn@$domain";
			$query  = array( 'do' => $do, 'tenant' => $tenant, 'email' => $email, 'name' => "Visitor $name-$turn of $tenant" );
			curl_setopt_array( $curl, array( CURLOPT_URL => getenv( 'TCS_URL' ) . '/portal.php?' . http_build_query( $query ), CURLOPT_RETURNTRANSFER => true, CURLOPT_TIMEOUT => 60 ) );
			$body   = curl_exec( $curl );
			$status = false === $body ? 0 : curl_getinfo( $curl, CURLINFO_RESPONSE_CODE );
			fwrite( $log, json_encode( array( $do, $tenant, $domain, $email, $status, 200 === $status ? json_decode( (string) $body, true ) : null ) ) . "\n" );
			usleep( mt_rand( 10000, 80000 ) );
		}
	}
}
