<?php
/**
 * Says whether an expression is harmless where it stands: made only of constants, numbers, and calls that escape. It follows variables to
 * all places of their function that assign them. What it cannot follow is not harmless.
 *
 * What "escapes" means, for HTML and for SQL, the sniffs say.
 */

namespace WordPress;

use PHP_CodeSniffer\Files\File;
use PHP_CodeSniffer\Util\Tokens;

final class Expression {

	/** Whatever comes out of these is a number, a bool or digits. */
	private const NUMBERS = array( 'absint', 'intval', 'count', 'strlen', 'mb_strlen', 'time', 'microtime', 'min', 'max', 'round', 'ceil', 'floor', 'abs', 'get_current_user_id', 'get_current_blog_id', 'get_current_network_id', 'bin2hex', 'random_int', 'wp_rand', 'array_sum', 'gmdate', 'hexdec' );

	/** What comes out of these is as harmless as what goes in. */
	private const PASSING = array( 'implode', 'join', 'sprintf', 'trim', 'ltrim', 'rtrim', 'str_repeat', 'array_merge', 'array_filter', 'array_unique', 'array_values', 'array_keys', 'array_fill', 'array_fill_keys', 'array_slice', 'substr', 'strtolower', 'strtoupper', 'ucfirst', 'reset', 'end', 'current' );

	/** @var array<string, true> Variables that are being followed: `$a .= $a` leads round in circles. */
	private array $following = array();

	/**
	 * @param list<string> $calls      Functions (`esc_html`), static methods (`Sql::text`) and methods (`->prepare`) whose result is harmless; `*_sql`: all that are called so.
	 * @param string       $properties Regular expression of the properties and columns that are: `$wpdb->posts`, `$row['id']`.
	 */
	public function __construct( private readonly File $file, private readonly array $calls, private readonly string $properties ) {
	}

	/** The places of a call's arguments: [first token, one after the last]. */
	public static function arguments( File $file, int $open ): array {
		$tokens = $file->getTokens();
		return self::split( $file, $open + 1, $tokens[ $open ]['parenthesis_closer'], array( T_COMMA ) );
	}

	/** @return list<array{int, int}> The pieces between tokens of some kinds, brackets left whole. */
	private static function split( File $file, int $start, int $end, array $at ): array {
		$tokens = $file->getTokens();
		$pieces = array();
		$from   = $start;
		for ( $i = $start; $i < $end; $i++ ) {
			if ( in_array( $tokens[ $i ]['code'], $at, true ) ) {
				$pieces[] = array( $from, $i );
				$from     = $i + 1;
				continue;
			}
			$i = self::skip( $tokens, $i );
		}
		$pieces[] = array( $from, $end );
		return array_values( array_filter( $pieces, static fn( array $p ): bool => false !== $file->findNext( Tokens::$emptyTokens, $p[0], $p[1], true ) ) );
	}

	/** The end of the bracket, closure or arrow function that begins here. */
	private static function skip( array $tokens, int $i ): int {
		if ( in_array( $tokens[ $i ]['code'], array( T_CLOSURE, T_FN, T_MATCH ), true ) && isset( $tokens[ $i ]['scope_closer'] ) ) {
			return T_FN === $tokens[ $i ]['code'] ? $tokens[ $i ]['scope_closer'] - 1 : $tokens[ $i ]['scope_closer'];
		}
		return $tokens[ $i ]['parenthesis_closer'] ?? $tokens[ $i ]['bracket_closer'] ?? $i;
	}

	/** @param int $end One after the last token. */
	public function is_harmless( int $start, int $end ): bool {
		$tokens = $this->file->getTokens();
		$start  = $this->file->findNext( Tokens::$emptyTokens, $start, $end, true );
		if ( false === $start ) {
			return true;
		}
		while ( isset( Tokens::$emptyTokens[ $tokens[ $end - 1 ]['code'] ] ) ) {
			--$end;
		}
		// $condition ? $this : $that: the condition never comes out, but that of ?: does.
		$question = $this->top( $start, $end, array( T_INLINE_THEN ) );
		if ( null !== $question ) {
			$colon = $this->colon( $question, $end );
			$short = $colon === $this->file->findNext( Tokens::$emptyTokens, $question + 1, $end, true );
			return ( $short ? $this->is_harmless( $start, $question ) : $this->is_harmless( $question + 1, $colon ) ) && $this->is_harmless( $colon + 1, $end );
		}
		if ( null !== $this->top( $start, $end, array( T_COALESCE ) ) ) {
			return $this->all( self::split( $this->file, $start, $end, array( T_COALESCE ) ) );
		}
		// Comparisons and arithmetic make bools and numbers (+ also makes arrays).
		$numeric = array_merge( array_keys( Tokens::$comparisonTokens ), array_keys( Tokens::$booleanOperators ), array( T_MINUS, T_MULTIPLY, T_DIVIDE, T_MODULUS, T_INSTANCEOF ) );
		if ( null !== $this->top( $start, $end, array_diff( $numeric, array( T_COALESCE ) ) ) ) {
			return true;
		}
		$parts = self::split( $this->file, $start, $end, array( T_STRING_CONCAT, T_PLUS ) );
		return count( $parts ) > 1 ? $this->all( $parts ) : $this->is_harmless_operand( $start, $end );
	}

	private function all( array $pieces ): bool {
		foreach ( $pieces as list( $start, $end ) ) {
			if ( ! $this->is_harmless( $start, $end ) ) {
				return false;
			}
		}
		return true;
	}

	/** The first token of some kinds that is in no bracket. */
	private function top( int $start, int $end, array $kinds ): ?int {
		$tokens = $this->file->getTokens();
		for ( $i = $start; $i < $end; $i++ ) {
			if ( in_array( $tokens[ $i ]['code'], $kinds, true ) ) {
				return $i;
			}
			$i = self::skip( $tokens, $i );
		}
		return null;
	}

	/** The colon that belongs to a question mark. */
	private function colon( int $question, int $end ): int {
		$tokens = $this->file->getTokens();
		$depth  = 0;
		for ( $i = $question + 1; $i < $end; $i++ ) {
			if ( T_INLINE_THEN === $tokens[ $i ]['code'] ) {
				++$depth;
			} elseif ( T_INLINE_ELSE === $tokens[ $i ]['code'] && 0 === $depth-- ) {
				return $i;
			}
			$i = self::skip( $tokens, $i );
		}
		return $end - 1;
	}

	private function is_harmless_operand( int $start, int $end ): bool {
		$tokens = $this->file->getTokens();
		$code   = $tokens[ $start ]['code'];
		if ( in_array( $code, array( T_INT_CAST, T_DOUBLE_CAST, T_BOOL_CAST, T_BOOLEAN_NOT, T_ISSET, T_EMPTY ), true ) ) {
			return true;
		}
		if ( in_array( $code, array( T_STRING_CAST, T_ARRAY_CAST ), true ) || 'print' === $tokens[ $start ]['content'] ) {
			return $this->is_harmless( $start + 1, $end );
		}
		if ( in_array( $code, array( T_CONSTANT_ENCAPSED_STRING, T_LNUMBER, T_DNUMBER, T_TRUE, T_FALSE, T_NULL, T_START_NOWDOC ), true ) ) {
			// 'abc'[$i] and the like stay harmless. A literal of several lines is several tokens.
			return true;
		}
		if ( T_DOUBLE_QUOTED_STRING === $code || T_START_HEREDOC === $code ) {
			return $this->is_harmless_text( $start, $end );
		}
		if ( T_OPEN_PARENTHESIS === $code && $end - 1 === $tokens[ $start ]['parenthesis_closer'] ) {
			return $this->is_harmless( $start + 1, $end - 1 );
		}
		if ( ( T_ARRAY === $code || T_OPEN_SHORT_ARRAY === $code ) ) {
			$open  = T_ARRAY === $code ? $tokens[ $start ]['parenthesis_opener'] : $start;
			$close = T_ARRAY === $code ? $tokens[ $start ]['parenthesis_closer'] : $tokens[ $start ]['bracket_closer'];
			foreach ( self::split( $this->file, $open + 1, $close, array( T_COMMA ) ) as list( $from, $to ) ) {
				$arrow = $this->top( $from, $to, array( T_DOUBLE_ARROW ) );
				if ( ! $this->is_harmless( null === $arrow ? $from : $arrow + 1, $to ) ) {
					return false;
				}
			}
			return true;
		}
		if ( T_FN === $code || T_STATIC === $code && T_FN === $tokens[ $this->file->findNext( Tokens::$emptyTokens, $start + 1, $end, true ) ]['code'] ) {
			return $this->is_harmless( $this->file->findNext( T_FN_ARROW, $start ) + 1, $end );
		}
		if ( T_VARIABLE === $code ) {
			return $this->is_harmless_variable( $start, $end );
		}
		return $this->is_harmless_call( $start, $end );
	}

	/** "… $a {$b->c} …" */
	private function is_harmless_text( int $start, int $end ): bool {
		preg_match_all( '/(?<!\\\\)\{?\$(\w+)((?:->\w+)*)(\[\'?\w+\'?\]|\()?/', $this->file->getTokensAsString( $start, $end - $start ), $found, PREG_SET_ORDER );
		foreach ( $found as $match ) {
			$path = '$' . $match[1] . $match[2];
			$rest = $match[3] ?? '';
			if ( '(' === $rest && '' !== $match[2] ) {
				$good = in_array( substr( $match[2], -strlen( strrchr( $match[2], '>' ) ) - 1 ), $this->calls, true ) || $this->is_harmless_function( substr( strrchr( $match[2], '>' ), 1 ) );
			} else {
				$good = $this->is_harmless_path( $path, '(' === $rest ? '' : $rest, $start );
			}
			if ( ! $good ) {
				return false;
			}
		}
		return true;
	}

	/** $a, $a->b, $a['b'] */
	private function is_harmless_path( string $path, string $index, int $at ): bool {
		if ( preg_match( $this->properties, $path . $index ) ) {
			return true;
		}
		if ( preg_match( '/^\$this->(\w+)$/', $path, $match ) ) {
			return $this->is_harmless_property( $match[1] );
		}
		return ! str_contains( $path, '->' ) && $this->is_harmless_name( $path, $at );
	}

	private function is_harmless_variable( int $start, int $end ): bool {
		$tokens = $this->file->getTokens();
		$path   = $tokens[ $start ]['content'];
		$index  = '';
		for ( $i = $start + 1; $i < $end; $i++ ) {
			$code = $tokens[ $i ]['code'];
			if ( T_OBJECT_OPERATOR === $code || T_NULLSAFE_OBJECT_OPERATOR === $code ) {
				$i     = $this->file->findNext( T_STRING, $i );
				$next  = $this->file->findNext( Tokens::$emptyTokens, $i + 1, $end, true );
				$path .= '->' . $tokens[ $i ]['content'];
				if ( false !== $next && T_OPEN_PARENTHESIS === $tokens[ $next ]['code'] ) {
					return in_array( '->' . $tokens[ $i ]['content'], $this->calls, true ) || '$this' === $tokens[ $start ]['content'] && $this->is_harmless_function( $tokens[ $i ]['content'] );
				}
			} elseif ( T_OPEN_SQUARE_BRACKET === $code ) {
				$index = $this->file->getTokensAsString( $i, $tokens[ $i ]['bracket_closer'] + 1 - $i );
				$index = '[' . trim( substr( $index, 1, -1 ) ) . ']';
				$i     = $tokens[ $i ]['bracket_closer'];
			} elseif ( T_OPEN_PARENTHESIS === $code ) {
				// A closure: what it returns.
				return $this->is_harmless_name( $path, $start );
			}
		}
		return $this->is_harmless_path( $path, $index, $start );
	}

	private function is_harmless_call( int $start, int $end ): bool {
		$tokens = $this->file->getTokens();
		$open   = $this->top( $start, $end, array( T_OPEN_PARENTHESIS ) );
		$name   = ltrim( trim( $this->file->getTokensAsString( $start, ( $open ?? $end ) - $start ) ), '\\' );
		if ( null === $open ) {
			// A constant: Class::NAME, NAME, __FUNCTION__.
			return (bool) preg_match( '/^(?:[\w\\\\]+::)?[A-Z_][A-Z0-9_]*(\[.*)?$|^\w+::class$/s', $name );
		}
		if ( in_array( '*_sql', $this->calls, true ) && str_ends_with( $name, '_sql' ) ) {
			return true;
		}
		if ( in_array( strtolower( $name ), self::NUMBERS, true ) || in_array( $name, $this->calls, true ) || in_array( preg_replace( '/^.*\\\\/', '', $name ), $this->calls, true ) ) {
			return true;
		}
		$arguments = self::arguments( $this->file, $open );
		if ( 'array_map' === $name ) {
			return $this->is_harmless_callback( ...$arguments[0] );
		}
		if ( 'array_column' === $name ) {
			return isset( $arguments[0] ) && $this->is_harmless( ...$arguments[0] );
		}
		if ( in_array( $name, self::PASSING, true ) ) {
			$format = 'sprintf' === $name && T_CONSTANT_ENCAPSED_STRING === $tokens[ $this->file->findNext( Tokens::$emptyTokens, $arguments[0][0], null, true ) ]['code'];
			return $format ? $this->is_harmless_format( $arguments ) : $this->all( $arguments );
		}
		return preg_match( '/^(?:self|static)::(\w+)$/', $name, $match ) && $this->is_harmless_function( $match[1] );
	}

	/** Whether a method of this file returns a number or something harmless only. */
	public function is_harmless_function( string $name ): bool {
		$tokens = $this->file->getTokens();
		if ( isset( $this->following[ $name ] ) ) {
			return true;
		}
		for ( $i = $this->file->findNext( T_FUNCTION, 0 ); false !== $i; $i = $this->file->findNext( T_FUNCTION, $i + 1 ) ) {
			if ( $this->file->getDeclarationName( $i ) !== $name || ! isset( $tokens[ $i ]['scope_closer'] ) ) {
				continue;
			}
			if ( in_array( $this->file->getMethodProperties( $i )['return_type'], array( 'int', '?int', 'float', 'bool' ), true ) ) {
				return true;
			}
			$this->following[ $name ] = true;
			$good                     = true;
			for ( $at = $tokens[ $i ]['scope_opener']; $good && $at < $tokens[ $i ]['scope_closer']; $at++ ) {
				$at = T_CLOSURE === $tokens[ $at ]['code'] ? $tokens[ $at ]['scope_closer'] : $at;
				if ( T_RETURN === $tokens[ $at ]['code'] ) {
					$good = $this->is_harmless( $at + 1, $this->file->findEndOfStatement( $at ) );
				}
			}
			unset( $this->following[ $name ] );
			return $good;
		}
		return false;
	}

	/** Whether everything that this file assigns to one of its object's properties is a number or harmless. */
	private function is_harmless_property( string $name ): bool {
		$tokens = $this->file->getTokens();
		if ( isset( $this->following[ "->$name" ] ) ) {
			return true;
		}
		if ( preg_match( '/\b(?:private|protected|public)\s+(?:static\s+)?(?:readonly\s+)?\??(?:int|float|bool) \$' . $name . '\b/', $this->file->getTokensAsString( 0, count( $tokens ) ) ) ) {
			return true;
		}
		$this->following[ "->$name" ] = true;
		$found                        = 0;
		$good                         = true;
		for ( $i = $this->file->findNext( T_VARIABLE, 0, null, false, '$this' ); $good && false !== $i; $i = $this->file->findNext( T_VARIABLE, $i + 1, null, false, '$this' ) ) {
			if ( T_OBJECT_OPERATOR !== $tokens[ $i + 1 ]['code'] || $name !== $tokens[ $i + 2 ]['content'] ) {
				continue;
			}
			$verdict = $this->assigned( $i + 2 );
			$found  += null !== $verdict ? 1 : 0;
			$good    = $verdict ?? true;
		}
		unset( $this->following[ "->$name" ] );
		return $good && $found > 0;
	}

	/** Of sprintf: what goes into %d is a number, whatever it was. @param list<array{int, int}> $arguments */
	public function is_harmless_format( array $arguments ): bool {
		$format = $this->file->getTokensAsString( $arguments[0][0], $arguments[0][1] - $arguments[0][0] );
		preg_match_all( '/%(?:(\d+)\$)?[-+0-9.]*([a-zA-Z%])/', $format, $places, PREG_SET_ORDER );
		$next = 0;
		foreach ( $places as $place ) {
			if ( '%' === $place[2] ) {
				continue;
			}
			$number = '' === $place[1] ? ++$next : (int) $place[1];
			if ( 's' === $place[2] && isset( $arguments[ $number ] ) && ! $this->is_harmless( ...$arguments[ $number ] ) ) {
				return false;
			}
		}
		// A format that is put together counts as text, too.
		return $this->is_harmless( ...$arguments[0] );
	}

	/** 'intval', array( Sql::class, 'bytes' ), static fn( … ) => … */
	private function is_harmless_callback( int $start, int $end ): bool {
		$text = trim( $this->file->getTokensAsString( $start, $end - $start ) );
		if ( preg_match( '/^([\'"])(\w+)\1$/', $text, $match ) ) {
			return in_array( $match[2], self::NUMBERS, true ) || in_array( $match[2], $this->calls, true );
		}
		if ( preg_match( '/^array\( (?:\w+\\\\)*(\w+)::class, \'(\w+)\' \)$/', $text, $match ) ) {
			return in_array( $match[1] . '::' . $match[2], $this->calls, true );
		}
		return preg_match( '/^(static )?fn\b/', $text ) && $this->is_harmless( $start, $end );
	}

	/** Whether everything that this function assigns to a variable is harmless. */
	private function is_harmless_name( string $name, int $at ): bool {
		$tokens = $this->file->getTokens();
		$function = null;
		foreach ( $tokens[ $at ]['conditions'] as $place => $kind ) {
			if ( T_FUNCTION === $kind ) {
				$function = $place;
			}
		}
		if ( null === $function ) {
			return false;
		}
		if ( isset( $this->following[ "$function $name" ] ) ) {
			return true;
		}
		$this->following[ "$function $name" ] = true;

		$found = 0;
		$good  = true;
		for ( $i = $function; $good && $i < $tokens[ $function ]['scope_closer']; $i++ ) {
			if ( T_VARIABLE !== $tokens[ $i ]['code'] || $name !== $tokens[ $i ]['content'] ) {
				continue;
			}
			$verdict = $this->assigned( $i );
			$found  += null !== $verdict ? 1 : 0;
			$good    = $verdict ?? true;
		}
		unset( $this->following[ "$function $name" ] );
		return $good && $found > 0;
	}

	/** Whether what is assigned to the variable at this place is harmless; null: nothing is. */
	private function assigned( int $at ): ?bool {
		$tokens = $this->file->getTokens();
		$before = $this->file->findPrevious( Tokens::$emptyTokens, $at - 1, null, true );
		foreach ( array_reverse( $tokens[ $at ]['nested_parenthesis'] ?? array(), true ) as $open => $close ) {
			$owner = $tokens[ $open ]['parenthesis_owner'] ?? null;
			$kind  = null === $owner ? null : $tokens[ $owner ]['code'];
			if ( in_array( $kind, array( T_FUNCTION, T_CLOSURE, T_FN ), true ) ) {
				foreach ( $this->file->getMethodParameters( $owner ) as $number => $parameter ) {
					if ( $parameter['token'] === $at ) {
						return in_array( ltrim( $parameter['type_hint'], '?' ), array( 'int', 'float', 'bool' ), true ) || T_FUNCTION === $kind && $this->is_given_harmless( $owner, $number );
					}
				}
				return null;
			}
			if ( T_FOREACH === $kind ) {
				$as = $this->file->findNext( T_AS, $open, $close );
				if ( $at > $as ) {
					// The keys of a list are numbers; of others nobody knows.
					return $this->is_harmless( $open + 1, $as );
				}
			}
			if ( T_CATCH === $kind || T_LIST === $kind ) {
				return false;
			}
			break;
		}
		if ( T_AS === $tokens[ $before ]['code'] ) {
			return false;
		}
		$next = $this->file->findNext( Tokens::$emptyTokens, $at + 1, null, true );
		while ( T_OPEN_SQUARE_BRACKET === $tokens[ $next ]['code'] ) {
			$next = $this->file->findNext( Tokens::$emptyTokens, $tokens[ $next ]['bracket_closer'] + 1, null, true );
		}
		if ( ! in_array( $tokens[ $next ]['code'], array( T_EQUAL, T_CONCAT_EQUAL, T_COALESCE_EQUAL ), true ) ) {
			// Counted up and down, or only read.
			return isset( Tokens::$assignmentTokens[ $tokens[ $next ]['code'] ] ) && T_DOUBLE_ARROW !== $tokens[ $next ]['code'] ? true : null;
		}
		return $this->is_harmless( $next + 1, $this->end_of_statement( $next + 1 ) );
	}

	/** Whether every caller of a private method gives something harmless as one of its arguments. */
	private function is_given_harmless( int $function, int $number ): bool {
		$tokens = $this->file->getTokens();
		$name   = $this->file->getDeclarationName( $function );
		if ( 'private' !== $this->file->getMethodProperties( $function )['scope'] ) {
			return false;
		}
		$found = 0;
		for ( $i = $this->file->findNext( T_STRING, 0, null, false, $name ); false !== $i; $i = $this->file->findNext( T_STRING, $i + 1, null, false, $name ) ) {
			$open = $this->file->findNext( Tokens::$emptyTokens, $i + 1, null, true );
			if ( T_OPEN_PARENTHESIS !== $tokens[ $open ]['code'] || ! in_array( $tokens[ $i - 1 ]['code'], array( T_DOUBLE_COLON, T_OBJECT_OPERATOR ), true ) ) {
				continue;
			}
			++$found;
			$argument = self::arguments( $this->file, $open )[ $number ] ?? null;
			if ( null !== $argument && ! $this->is_harmless( ...$argument ) ) {
				return false;
			}
		}
		return $found > 0;
	}

	private function end_of_statement( int $start ): int {
		$tokens = $this->file->getTokens();
		for ( $i = $start; isset( $tokens[ $i ] ); $i++ ) {
			if ( in_array( $tokens[ $i ]['code'], array( T_SEMICOLON, T_CLOSE_PARENTHESIS, T_CLOSE_SQUARE_BRACKET, T_COMMA ), true ) ) {
				return $i;
			}
			$i = self::skip( $tokens, $i );
		}
		return $start;
	}
}
