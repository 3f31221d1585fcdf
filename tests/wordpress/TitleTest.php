<?php
/**
 * What a CRM's name becomes as a title: readable, and unable to run wherever it is printed.
 */

use PHPUnit\Framework\TestCase;
use TenantCRM\Title;

final class TitleTest extends TestCase {

	/** @dataProvider names */
	public function test_names( $name, string $title ): void {
		$this->assertSame( $title, Title::from( $name ) );
	}

	/** @return array<int, array{0: mixed, 1: string}> */
	public function names(): array {
		return array(
			array( 'Ada Lovelace', 'Ada Lovelace' ),
			array( "Zoë O'Brien \u{1F680}", "Zoë O'Brien \u{1F680}" ),
			array( 'Jim "Jimbo" Jones', 'Jim "Jimbo" Jones' ),
			array( 'Müller & Söhne', 'Müller &amp; Söhne' ),
			array( '5 < 6', '5 &lt; 6' ),
			array( 'a\\b', 'a\\b' ),
			array( "  two\nlines\t", 'two lines' ),
			array( '', Title::UNKNOWN ),
			array( '   ', Title::UNKNOWN ),
			array( '<br>', Title::UNKNOWN ),
			array( null, Title::UNKNOWN ),
			array( array( 'x' ), Title::UNKNOWN ),
			array( true, Title::UNKNOWN ),
			array( 42, '42' ),
			array( "\u{202E}gpj.exe\u{0085}", 'gpj.exe' ),
		);
	}

	/** @dataProvider attacks */
	public function test_nothing_runs( string $name ): void {
		$title = Title::from( $name );
		foreach ( array( $title, html_entity_decode( $title, ENT_QUOTES | ENT_HTML5 ) ) as $printed ) {
			$page = new DOMDocument();
			@$page->loadHTML( '<html><body><p>' . $printed . '</p></body></html>' );
			$this->assertSame( 0, ( new DOMXPath( $page ) )->query( '//p//*' )->length, $printed );
		}
		foreach ( array( '"', "'" ) as $quote ) {
			$page = new DOMDocument();
			@$page->loadHTML( "<html><body><input value=$quote$title$quote></body></html>" );
			foreach ( ( new DOMXPath( $page ) )->query( '//*/@*' ) as $attribute ) {
				$this->assertStringStartsNotWith( 'on', $attribute->nodeName, $title );
			}
		}
	}

	/** @return array<int, array{0: string}> */
	public function attacks(): array {
		return array(
			array( '<script>alert(1)</script>Bob' ),
			array( '<scr<script>ipt>alert(1)</scr</script>ipt>' ),
			array( '&lt;script&gt;alert(1)&lt;/script&gt;' ),
			array( '&amp;lt;img src=x onerror=alert(1)&amp;gt;' ),
			array( '<img src=x onerror=alert(1)>' ),
			array( '<img src=x onerror=alert(1)//' ),
			array( '" onmouseover="alert(1)' ),
			array( "' onfocus='alert(1)' autofocus='" ),
			array( '<svg/onload=alert(1)>' ),
			array( "<\0script>alert(1)</script>" ),
			array( "<scr\nipt>alert(1)</scr\nipt>" ),
			array( '&#60;iframe src=javascript:alert(1)&#62;' ),
			array( '<!--><img src=x onerror=alert(1)>-->' ),
			array( str_repeat( '<b ', 5000 ) . 'onclick=alert(1)>' ),
		);
	}
}
