<?php
/**
 * Judges what the sides saw. With the article's text its code on Guzzle is the reference, whatever it does, and the recording is held to it as
 * well; without, the recording is the reference and only our own plugin's functions run. `--record` writes the recording anew.
 */

declare(strict_types=1);

namespace TenantCRM\Tests\Article;

foreach ( [ 'ArticlePlugin', 'Checks', 'leads', 'sides', 'posts', 'differences', 'run_sides' ] as $part ) {
	require __DIR__ . "/lib/$part.php";
}

$article = (string) getenv( 'SEED_ARTICLE' );
$plugins = getenv( 'TCS_WWW' ) . '/wp-content/plugins';
mkdir( "$plugins/crm-test" );
copy( __DIR__ . '/site/own.php', "$plugins/crm-test/crm-test.php" );
if ( '' !== $article ) {
	$text = new ArticlePlugin( $article );
	$text->write( "$plugins/article-guzzle", true );
	$text->write( "$plugins/article", false );
}
$seen   = run_sides( '' === $article ? [ 'own' ] : array_keys( SIDES ) );
$checks = new Checks();

if ( '' !== $article ) {
	require __DIR__ . '/lib/with_article.php';
	judge_guzzle( $checks, $seen['guzzle'] );
	judge_native( $checks, $seen['guzzle'], $seen['native'], SIDES['native']['is'] );
	judge_native( $checks, $seen['guzzle'], $seen['beside'], SIDES['beside']['is'] );
	judge_beside( $checks, $seen['beside'] );
	if ( in_array( '--record', $argv, true ) ) {
		file_put_contents( getenv( 'TCS_STACK' ) . '/tmp/expected.json', recorded( plain( $seen['guzzle']['demand']['posts'] ), plain( $seen['guzzle']['demand_changed']['posts'] ) ) );
		exit( $checks->end() );
	}
}
$expected = recording( __DIR__ . '/expected.json' );
if ( '' !== $article ) {
	$checks->same( 'the recording: posts at first', plain( $seen['guzzle']['demand']['posts'] ), $expected['first'] );
	$checks->same( 'the recording: posts after changes', plain( $seen['guzzle']['demand_changed']['posts'] ), $expected['changed'] );
}
require __DIR__ . '/lib/without_article.php';
judge_own( $checks, $expected, $seen['own'] );
exit( $checks->end() );
