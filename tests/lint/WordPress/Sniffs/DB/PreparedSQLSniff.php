<?php
/**
 * SQL is made of literals, names of our tables, numbers, and values that were prepared or quoted. It looks at everything that takes SQL: $wpdb's
 * methods, and those of the plugin that hand SQL on. A function whose name ends in _sql makes SQL: what it returns is held to the same, and whoever
 * calls it is believed.
 */

namespace WordPress\Sniffs\DB;

use PHP_CodeSniffer\Files\File;
use PHP_CodeSniffer\Sniffs\Sniff;
use PHP_CodeSniffer\Util\Tokens;
use WordPress\Expression;

require_once dirname( __DIR__, 2 ) . '/Expression.php';

final class PreparedSQLSniff implements Sniff {

	/** What takes SQL as its first argument. */
	private const TAKES = array( 'query', 'get_results', 'get_var', 'get_col', 'get_row', 'prepare', 'change', 'rows', 'row' );

	/** @var list<string> What makes SQL that needs no further care. The ruleset names the plugin's own. */
	public $safe = array();

	/** @var string Regular expression of properties and columns that are numbers or names of tables. */
	public $properties = '/^\$wpdb->\w+$/';

	public function register() {
		return array( T_STRING, T_FUNCTION );
	}

	public function process( File $file, $at ) {
		$tokens = $file->getTokens();
		if ( T_FUNCTION === $tokens[ $at ]['code'] ) {
			$name = (string) $file->getDeclarationName( $at );
			if ( str_ends_with( $name, '_sql' ) && ! $this->expression( $file )->is_harmless_function( $name ) ) {
				$file->addError( 'The SQL that %s() returns holds something that was neither prepared nor quoted nor made a number.', $at, 'NotPrepared', array( $name ) );
			}
			return;
		}
		$open   = $file->findNext( Tokens::$emptyTokens, $at + 1, null, true );
		$before = $file->findPrevious( Tokens::$emptyTokens, $at - 1, null, true );
		if ( ! in_array( $tokens[ $at ]['content'], self::TAKES, true ) || false === $open || T_OPEN_PARENTHESIS !== $tokens[ $open ]['code']
			|| ! in_array( $tokens[ $before ]['code'], array( T_OBJECT_OPERATOR, T_NULLSAFE_OBJECT_OPERATOR, T_DOUBLE_COLON ), true ) ) {
			return;
		}
		$owner = $file->getTokensAsString( $file->findStartOfStatement( $before ), $before - $file->findStartOfStatement( $before ) );
		$sql   = Expression::arguments( $file, $open )[0] ?? null;
		if ( null === $sql || ! preg_match( '/(\$wpdb|\bSql|\$\w*transaction|connection)$/', trim( $owner ) ) ) {
			return;
		}
		if ( ! $this->expression( $file )->is_harmless( ...$sql ) ) {
			$file->addError( 'This SQL holds something that was neither prepared nor quoted nor made a number.', $at, 'NotPrepared' );
		}
	}

	private function expression( File $file ): Expression {
		return new Expression( $file, array_merge( $this->safe, array( '->prepare', '*_sql' ) ), $this->properties );
	}
}
