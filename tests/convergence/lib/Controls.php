<?php
/**
 * Negative controls: a small world in which all is well, which the judge must pass, and the same with one thing wrong, to which it must
 * object. A judge that can be bribed is none.
 */

final class Controls {

	private const RULES = array(
		'id'        => 's9t0',
		'direction' => 'both',
		'dialect'   => 'rest',
		'settings'  => array( 'policy' => 'crm', 'policies' => array( 'phone' => 'ask' ), 'delete_policy' => 'crm', 'portal_deletes' => 'delete', 'crm_deletes' => 'bin' ),
	);

	private History $history;
	private Sides $sides;

	/** @return array{0: int, 1: list<string>} How many held, and what did not. */
	public static function run(): array {
		$failed = array();
		$all    = self::all();
		foreach ( $all as $what => list( $break, $must ) ) {
			$world  = new self();
			$rules  = self::RULES;
			$break( $world, $rules );
			$faults = implode( "\n", Judge::faults( $world->history, $world->sides, $rules ) );
			if ( null === $must ? '' !== $faults : ! str_contains( $faults, $must ) ) {
				$failed[] = "control \"$what\": the judge says: " . ( '' === $faults ? 'nothing' : $faults );
			}
		}
		return array( count( $all ) - count( $failed ), $failed );
	}

	/** One person on both sides: made in the CRM (1 to 3), name edited in the portal (4), then in the CRM (5); e-mail edited in the portal (6). */
	private function __construct() {
		$this->history = new History();
		foreach ( Schedule::FIELDS as $field ) {
			$this->history->edit( 'crm', 's9t0p1', $field, 0 );
		}
		$this->history->edit( 'portal', 's9t0p1', 'name', 1 );
		$this->history->edit( 'crm', 's9t0p1', 'name', 4 );
		$this->history->edit( 'portal', 's9t0p1', 'email', 2 );
		$this->sides = new Sides( 's9t0', array(), array(), array(), array() );
		$this->put( 's9t0p1', 7, 'A', array( 'name' => 5, 'email' => 6, 'phone' => 3 ) );
	}

	/** @param array<string, int> $edits */
	private function put( string $person, int $post, string $id, array $edits ): void {
		$values = array();
		foreach ( $edits as $field => $edit ) {
			$values[ $field ] = Value::of( $person, $field, $edit );
		}
		$this->sides->leads[ $post ]  = array( 'id' => $post, 'status' => 'publish', 'crm_lead_id' => $id ) + $values;
		$this->sides->rows[ $id ]     = array( 'id' => $id ) + $values;
		$this->sides->ledger[ $post ] = array( 'crm_id' => $id, 'base' => $values, 'gone' => 0 );
	}

	/** Both sides and the ledger get this value. */
	private function set( string $field, int $edit ): void {
		$value                                = Value::of( 's9t0p1', $field, $edit );
		$this->sides->leads[7][ $field ]          = $value;
		$this->sides->rows['A'][ $field ]         = $value;
		$this->sides->ledger[7]['base'][ $field ] = $value;
	}

	private function vanish(): void {
		$this->sides->leads = array();
		$this->sides->rows  = array();
	}

	private static function seen( int $name, int $email ): array {
		return array( 'name' => $name, 'email' => $email, 'phone' => 3 );
	}

	/** @return array<string, array{0: callable(self, array<string, mixed>): void, 1: string|null}> What is broken, and what the judge must say. */
	private static function all(): array {
		return array(
			'nothing is wrong'                                => array( static fn( self $world ) => null, null ),
			'an edit of the portal is lost on both sides'     => array( static fn( self $world ) => $world->set( 'email', 2 ), 'went back to 2' ),
			'an edit of the CRM is lost on both sides'        => array( static fn( self $world ) => $world->set( 'name', 4 ), 'edit 5 went back to 4' ),
			'the sides differ'                                => array( static function ( self $world ): void {
				$world->sides->leads[7]['email'] = Value::of( 's9t0p1', 'email', 2 );
			}, 'email is' ),
			'the ledger differs'                              => array( static function ( self $world ): void {
				$world->sides->ledger[7]['base']['name'] = Value::of( 's9t0p1', 'name', 4 );
			}, 'in the ledger' ),
			'the ledger knows another record'                 => array( static function ( self $world ): void {
				$world->sides->ledger[7]['crm_id'] = 'a';
			}, 'its ledger row "a"' ),
			'a post is doubled'                               => array( static function ( self $world ): void {
				$world->sides->leads[8] = array( 'id' => 8 ) + $world->sides->leads[7];
			}, 'has posts 7, 8' ),
			'a record is doubled'                             => array( static function ( self $world ): void {
				$world->sides->rows['B'] = array( 'id' => 'B' ) + $world->sides->rows['A'];
			}, 'has records A, B' ),
			'a person is in the bin, and nobody deleted them' => array( static function ( self $world ): void {
				$world->sides->leads[7]['status'] = 'trash';
			}, 'and no post' ),
			'a record is gone'                                => array( static function ( self $world ): void {
				$world->sides->rows = array();
			}, 'no record in the CRM' ),
			'a person is gone, and nobody deleted them'       => array( static fn( self $world ) => $world->vanish(), 'nobody deleted them who may' ),
			'deleted in the CRM, whose deletions count'       => array( static function ( self $world ): void {
				$world->history->delete( 'crm', 's9t0p1', self::seen( 5, 2 ), true, false );
				$world->vanish();
			}, null ),
			'deleted in the portal, where the CRM counts'     => array( static function ( self $world ): void {
				$world->history->delete( 'portal', 's9t0p1', self::seen( 4, 6 ), true, false );
				$world->vanish();
			}, 'nobody deleted them who may' ),
			'the same, by somebody who had seen everything'   => array( static function ( self $world ): void {
				$world->history->delete( 'portal', 's9t0p1', self::seen( 5, 6 ), true, false );
				$world->vanish();
			}, null ),
			'the same, taken back'                            => array( static function ( self $world ): void {
				$world->history->delete( 'portal', 's9t0p1', self::seen( 5, 6 ), true, false );
				$world->history->undelete( 's9t0p1' );
				$world->vanish();
			}, 'nobody deleted them who may' ),
			'deleted, and there again'                        => array( static fn( self $world ) => $world->history->delete( 'portal', 's9t0p1', self::seen( 5, 6 ), true, false ), 'and is there again' ),
			'given up by a deletion that was taken back'      => array( static function ( self $world ): void {
				$world->history->edit( 'portal', 's9t0p1', 'name', 5 );
				$world->history->delete( 'crm', 's9t0p1', self::seen( 5, 6 ), true, false );
				$world->history->undelete( 's9t0p1' );
			}, null ),
			'lost behind a deletion that was taken back'      => array( static function ( self $world ): void {
				$world->history->delete( 'crm', 's9t0p1', self::seen( 5, 6 ), true, false );
				$world->history->undelete( 's9t0p1' );
				$world->history->edit( 'portal', 's9t0p1', 'name', 5 );
			}, 'edit 7 went back to 5' ),
			'deleted, and edited on the other side'           => array( static fn( self $world ) => $world->history->delete( 'portal', 's9t0p1', self::seen( 4, 6 ), true, false ), null ),
			'an edit loses against the other side\'s policy'  => array( static function ( self $world ): void {
				$world->history->edit( 'portal', 's9t0p1', 'name', 4 );
				$world->set( 'name', 7 );
			}, 'though the policy is crm' ),
			'an edit loses against its policy'                => array( static fn( self $world ) => $world->history->edit( 'portal', 's9t0p1', 'name', 4 ), null ),
			'an edit loses that a person had to decide'       => array( static fn( self $world ) => $world->history->edit( 'portal', 's9t0p1', 'phone', 3 ), 'edit 7 went back to 3' ),
			'both edit, and nobody is asked'                  => array( static function ( self $world ): void {
				$world->history->edit( 'portal', 's9t0p1', 'phone', 3 );
				$world->history->edit( 'crm', 's9t0p1', 'phone', 3 );
				$world->set( 'phone', 8 );
			}, 'though the policy is ask' ),
			'both edit, and somebody decides'                 => array( static function ( self $world ): void {
				$world->history->edit( 'portal', 's9t0p1', 'phone', 3 );
				$world->history->edit( 'crm', 's9t0p1', 'phone', 3 );
				$world->history->decisions[] = array( 'phone', 8, 7 );
				$world->set( 'phone', 8 );
			}, null ),
			'an edit loses against an older one of its side'  => array( static function ( self $world ): void {
				$world->history->edit( 'portal', 's9t0p1', 'email', 2 );
			}, 'of the same side' ),
			'an element of a set is lost on both sides'       => array( static fn( self $world ) => $world->history->tag( 'crm', 's9t0p1' ), 'tags: ' ),
			'an element that was taken away is there again'   => array( static function ( self $world ): void {
				$tag = $world->history->tag( 'crm', 's9t0p1' );
				$world->history->untag( 'portal', $tag );
				$world->sides->leads[7]['tags']   = array( $tag );
				$world->sides->rows['A']['tags'] = array( $tag );
			}, 'tags: ' ),
			'a set in another order'                          => array( static function ( self $world ): void {
				$tags                             = array( $world->history->tag( 'crm', 's9t0p1' ), $world->history->tag( 'crm', 's9t0p1' ) );
				$world->sides->leads[7]['tags']   = $tags;
				$world->sides->rows['A']['tags'] = array_reverse( $tags );
			}, null ),
			'values as another server writes them'            => array( static function ( self $world ): void {
				$world->sides->rows['A']['email']         = strtolower( $world->sides->rows['A']['email'] );
				$world->sides->ledger[7]['base']['email'] = $world->sides->rows['A']['email'];
				$world->sides->leads[7]['phone']          = str_replace( ' ', '', $world->sides->leads[7]['phone'] );
			}, null ),
			'another tenant\'s value'                         => array( static function ( self $world ): void {
				$world->sides->leads[9] = array( 'id' => 9, 'status' => 'publish', 'name' => Value::of( 's9t1p1', 'name', 1 ), 'email' => null, 'phone' => null, 'crm_lead_id' => null );
			}, 'another tenant\'s name' ),
			'two people in one lead'                          => array( static function ( self $world ): void {
				$world->sides->leads[7]['email'] = Value::of( 's9t0p2', 'email', 1 );
			}, 'of two people' ),
			'a write in a silent cycle'                       => array( static function ( self $world ): void {
				$world->sides->writes = array( 'PATCH /api/v1/leads/A' );
			}, 'not silent: PATCH' ),
			'a post changes in a silent cycle'                => array( static function ( self $world ): void {
				$world->sides->before = '[1]';
				$world->sides->after  = '[2]';
			}, 'not silent: …' ),
			'a job is stuck'                                  => array( static function ( self $world ): void {
				$world->sides->left = array( 'job {"kind":"push"}' );
			}, 'left to do: job' ),
			'what came from the CRM of a mirror'              => array( static function ( self $world, array &$rules ): void {
				$rules['direction'] = 'to_crm';
			}, 'came from the CRM' ),
			'the portal\'s edit of a one-way tenant'          => array( static function ( self $world, array &$rules ): void {
				$rules['direction'] = 'from_crm';
				$world->sides->rows['A']['email'] = $world->sides->ledger[7]['base']['email'] = Value::of( 's9t0p1', 'email', 2 );
			}, null ),
			'the same in the CRM'                             => array( static function ( self $world, array &$rules ): void {
				$rules['direction'] = 'from_crm';
				$world->sides->leads[7]['email'] = Value::of( 's9t0p1', 'email', 2 );
			}, 'email is' ),
		);
	}
}
