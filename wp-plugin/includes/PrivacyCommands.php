<?php
/**
 * The commands about one person: what the site has, erasing it, and letting an erased person come back. What they do is in Privacy.
 *
 * @package TenantCRM
 */

namespace TenantCRM;

use TenantCRM\Privacy\Eraser;
use TenantCRM\Privacy\Person;
use TenantCRM\Privacy\Suppressions;

final class PrivacyCommands {

	private const MOST = 1000;

	/** @param array<string, mixed> $options */
	public static function status( array $options ): int {
		$email = self::email( $options );
		Output::rows(
			array(
				array(
					'email'   => $email,
					'records' => count( Person::records( $email, self::MOST ) ),
					'posts'   => count( Person::posts( $email, self::MOST ) ),
					'erased'  => Suppressions::has_person( $email ),
				),
			),
			$options
		);
		return CommandLine::GOOD;
	}

	/** @param array<string, mixed> $options */
	public static function erase( array $options ): int {
		$email = self::email( $options );
		if ( $options['dry-run'] ) {
			return self::status( $options );
		}
		if ( ! $options['yes'] ) {
			throw new \DomainException( 'this deletes leads for good; say --yes' );
		}
		$page = 0;
		do {
			$answer = Eraser::erase( $email, ++$page );
			foreach ( $answer['messages'] as $line ) {
				echo Output::cell( $line ), "\n";
			}
		} while ( ! $answer['done'] );
		echo "erased, and kept away from now on\n";
		return CommandLine::GOOD;
	}

	/** @param array<string, mixed> $options */
	public static function lift( array $options ): int {
		$email = self::email( $options );
		if ( ! Suppressions::lift( $email ) ) {
			throw new \RuntimeException( "\"$email\" is not kept away" );
		}
		echo "Forms and records of this person are taken again. What the CRMs still have comes with its next change, or by tenant-crm backfill.\n";
		return CommandLine::GOOD;
	}

	/** @param array<string, mixed> $options */
	private static function email( array $options ): string {
		return is_email( $options['arguments'][0] ) ? $options['arguments'][0] : throw new \DomainException( 'that is no e-mail address' );
	}
}
