<?php
/**
 * How the syncs of the last days ended, as a small chart: bars in SVG for the eye, the same figures as a table for everybody. What is counted
 * is Standings' business.
 */

namespace TenantCRM\Admin;

final class RunChart {

	const DAYS = 14;

	private const WIDTH  = 24; // of a day
	private const HEIGHT = 64;

	/** @param array<string, array{done: int, failed: int, cancelled: int}> $days As Standings::days() gives them. */
	public static function render( array $days ): void {
		$most = max( 1, ...array_map( 'array_sum', array_values( $days ) ) );
		/* translators: %s: number of days */
		$title = sprintf( __( 'Syncs, last %s days', 'tenant-crm-sync' ), number_format_i18n( count( $days ) ) );
		echo '<figure class="tcs-chart"><figcaption>' . esc_html( $title );
		self::legend( $days );
		echo '</figcaption>';
		printf( '<svg role="img" aria-label="%s" viewBox="0 0 %d %d" preserveAspectRatio="none">', esc_attr( $title . ': ' . self::sum( $days ) ), count( $days ) * self::WIDTH, self::HEIGHT );
		foreach ( array_values( $days ) as $nth => $counts ) {
			self::bar( $nth * self::WIDTH, $counts, $most, (string) array_keys( $days )[ $nth ] );
		}
		echo '</svg>';
		self::axis( array_keys( $days ) );
		self::table( $days, $title );
		echo '</figure>';
	}

	/** @return array<string, string> */
	private static function names(): array {
		return array(
			'done'      => __( 'finished', 'tenant-crm-sync' ),
			'failed'    => __( 'failed', 'tenant-crm-sync' ),
			'cancelled' => __( 'cancelled', 'tenant-crm-sync' ),
		);
	}

	/** @param array<string, int> $counts */
	private static function bar( int $x, array $counts, int $most, string $day ): void {
		printf( '<g><title>%s</title><rect class="tcs-bar-day" x="%d" y="0" width="%d" height="%d"/>', esc_html( self::date( $day ) . ': ' . self::words( $counts ) ), (int) $x, (int) self::WIDTH, (int) self::HEIGHT );
		$y = self::HEIGHT;
		foreach ( array_keys( self::names() ) as $state ) {
			$height = $counts[ $state ] ? max( 2, (int) round( $counts[ $state ] / $most * self::HEIGHT ) ) : 0;
			$y      = max( 0, $y - $height );
			if ( $height ) {
				printf( '<rect class="tcs-bar" data-state="%s" x="%d" y="%d" width="%d" height="%d"/>', esc_attr( $state ), (int) $x + 3, (int) $y, (int) self::WIDTH - 6, (int) $height );
			}
		}
		echo '</g>';
	}

	/** @param list<string> $days */
	private static function axis( array $days ): void {
		printf( '<div class="tcs-axis" aria-hidden="true"><span>%s</span><span>%s</span></div>', esc_html( self::date( $days[0] ) ), esc_html__( 'today', 'tenant-crm-sync' ) );
	}

	/** @param array<string, array<string, int>> $days */
	private static function legend( array $days ): void {
		foreach ( self::names() as $state => $name ) {
			$many = array_sum( array_column( $days, $state ) );
			if ( $many || 'done' === $state ) {
				printf( ' <span class="tcs-key" data-state="%s">%s</span>', esc_attr( $state ), esc_html( number_format_i18n( $many ) . ' ' . $name ) );
			}
		}
	}

	/** @param array<string, array<string, int>> $days */
	private static function table( array $days, string $title ): void {
		printf( '<table class="screen-reader-text"><caption>%s</caption><thead><tr><th scope="col">%s</th>', esc_html( $title ), esc_html__( 'Day', 'tenant-crm-sync' ) );
		foreach ( self::names() as $name ) {
			printf( '<th scope="col">%s</th>', esc_html( $name ) );
		}
		echo '</tr></thead><tbody>';
		foreach ( $days as $day => $counts ) {
			printf( '<tr><th scope="row">%s</th>', esc_html( self::date( (string) $day ) ) );
			foreach ( array_keys( self::names() ) as $state ) {
				printf( '<td>%s</td>', esc_html( number_format_i18n( $counts[ $state ] ) ) );
			}
			echo '</tr>';
		}
		echo '</tbody></table>';
	}

	/** @param array<string, array<string, int>> $days */
	private static function sum( array $days ): string {
		$counts = array();
		foreach ( array_keys( self::names() ) as $state ) {
			$counts[ $state ] = array_sum( array_column( $days, $state ) );
		}
		return self::words( $counts );
	}

	/** @param array<string, int> $counts */
	private static function words( array $counts ): string {
		$parts = array();
		foreach ( self::names() as $state => $name ) {
			if ( $counts[ $state ] ) {
				$parts[] = number_format_i18n( $counts[ $state ] ) . ' ' . $name;
			}
		}
		return $parts ? implode( ', ', $parts ) : __( 'none', 'tenant-crm-sync' );
	}

	/** A day of the site's calendar in the site's format. */
	private static function date( string $day ): string {
		return (string) wp_date( (string) get_option( 'date_format' ), (int) strtotime( "$day 12:00 UTC" ), new \DateTimeZone( 'UTC' ) );
	}
}
