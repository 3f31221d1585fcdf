<?php
/** The class as PHP code meets it: construction, settings, subclasses, mocks, clones, arguments, reflection. */

declare(strict_types=1);

namespace TenantCRM\Tests\Parity;

$list     = answer( '{"data":[{"id":1}]}' );
$wording  = 'PHP words it otherwise for native methods; the class of the error is the same';
$remedy   = 'settings that cannot be used are refused where they are given, with a message that names the remedy';
$lookup   = static fn( callable $function, string $why = '' ): array => [ 'crm' => $list, 'lookup' => \Closure::fromCallable( $function ) ] + ( '' === $why ? [] : [ 'why' => $why ] );
$run      = static fn( callable $call, string $why = '' ): array => [ 'crm' => $list, 'call' => \Closure::fromCallable( $call ) ] + ( '' === $why ? [] : [ 'why' => $why ] );
$describe = static function ( string $method ): array {
	$reflection = new \ReflectionMethod( 'TenantCRMSync', $method );
	$parameters = array_map(
		static fn( $parameter ) => [ $parameter->getName(), (string) $parameter->getType(), $parameter->isOptional(), $parameter->isDefaultValueAvailable() ? $parameter->getDefaultValue() : 'none', $parameter->allowsNull(), $parameter->isPassedByReference() ],
		$reflection->getParameters()
	);
	return [ $reflection->getName(), $parameters, (string) $reflection->getReturnType(), $reflection->hasReturnType(), $reflection->isStatic(), $reflection->isPublic(), $reflection->isFinal(), $reflection->getNumberOfRequiredParameters() ];
};
$tenants = [ 'an integer' => 7, 'a text' => 'Acme/ä', 'null' => null, 'a float' => 1.5, 'true' => true, 'false' => false, 'an empty text' => '' ];
$cases   = [];
foreach ( $tenants as $name => $tenant ) {
	$cases[ "missing settings, the tenant is $name" ] = [ 'lookup' => static fn() => false, 'call' => static fn( $make ) => $make( $tenant ) ];
	$cases[ "the settings function gets $name" ]      = [
		'crm'    => $list,
		'lookup' => static function ( $given ) use ( $tenant ) {
			$GLOBALS['given'] = $given;
			return Site::$settings;
		},
		'call'   => static fn( $make ) => [ $make( $tenant )->fetch_leads(), $GLOBALS['given'] ],
	];
}
foreach ( [ 'null' => null, 'an empty array' => [], 'an empty text' => '', '0' => 0 ] as $name => $junk ) {
	$cases[ "settings: $name" ] = $lookup( static fn() => $junk );
}
return $cases + [
	'settings: text'                    => $lookup( static fn() => 'junk', $remedy ),
	'settings: true'                    => $lookup( static fn() => true, $remedy ),
	'settings: an object'               => $lookup( static fn() => (object) Site::$settings, $remedy ),
	'settings: an ArrayObject'          => $lookup( static fn() => new \ArrayObject( Site::$settings ) ),
	'settings: no key'                  => $lookup( static fn() => [ 'api_endpoint' => Site::$settings['api_endpoint'] ], $remedy ),
	'settings: no endpoint'             => $lookup( static fn() => [ 'api_key' => 'x' ], $remedy ),
	'settings: a key that is a list'    => $lookup( static fn() => [ 'api_key' => [ 'x' ] ] + Site::$settings, $remedy ),
	'settings: more than is known'      => $lookup( static fn() => Site::$settings + [ 'colour' => 'red', 5 => [ new \stdClass() ] ] ),
	'settings: an exception of its own' => $lookup( static fn() => throw new \DomainException( 'the vault is closed', 7 ) ),
	'settings: an error of its own'     => $lookup( static fn() => throw new \TypeError( 'a mistake' ) ),
	'settings: asked for once'          => [
		'crm'    => $list,
		'lookup' => static function () {
			$GLOBALS['asked'] = ( $GLOBALS['asked'] ?? 0 ) + 1;
			return Site::$settings;
		},
		'call'   => static function ( $make ) {
			$GLOBALS['asked'] = 0;
			$sync             = $make();
			$sync->fetch_leads();
			$sync->fetch_leads();
			return $GLOBALS['asked'];
		},
	],
	'settings: changed later'           => $run(
		static function ( $make ) {
			$sync                           = $make();
			Site::$settings['api_endpoint'] = 'http://127.0.0.1:1';
			return $sync->fetch_leads();
		}
	),
	'constructor: no argument'          => $run( static fn() => new \TenantCRMSync(), $wording ),
	'constructor: by name'              => $run( static fn() => ( new \TenantCRMSync( tenant_id: 'acme' ) )->fetch_leads() ),
	'constructor: an unknown name'      => $run( static fn() => new \TenantCRMSync( tenant: 'acme' ) ),
	'constructor: more arguments'       => $run( static fn() => ( new \TenantCRMSync( 'acme', 1, [], 'x' ) )->fetch_leads() ),
	'constructor: called again'         => $run(
		static function ( $make ) {
			$sync                       = $make();
			Site::$settings['api_key'] .= '-new';
			$sync->__construct( 'acme' );
			return $sync->fetch_leads();
		}
	),
	'constructor: an array'             => $run( static fn( $make ) => $make( [ 'acme' ] )->fetch_leads() ),
	'constructor: an object'            => $run( static fn( $make ) => $make( new \stdClass() )->fetch_leads() ),
	'methods: more arguments'           => $run( static fn( $make ) => [ $make()->fetch_leads( null, 'more', [] ), $make()->create_lead( [], 1, 2 ) ] ),
	'methods: an unknown name'          => $run( static fn( $make ) => $make()->fetch_leads( since: 'x' ) ),
	'methods: in another case'          => $run( static fn( $make ) => $make()->FETCH_Leads() ),
	'methods: by callable'              => $run( static fn( $make ) => array_map( [ $make(), 'fetch_leads' ], [ null ] ) ),
	'methods: first-class callable'     => $run( static fn( $make ) => ( $make()->fetch_leads( ... ) )() ),
	'methods: one that does not exist'  => $run( static fn( $make ) => $make()->no_such_method() ),
	'methods: statically'               => $run( static fn() => \TenantCRMSync::fetch_leads() ),
	'clone'                             => $run( static fn( $make ) => ( clone $make() )->fetch_leads() ),
	'clone of a clone, the first gone'  => $run(
		static function ( $make ) {
			$sync = $make();
			$copy = clone $sync;
			unset( $sync );
			return ( clone $copy )->fetch_leads();
		}
	),
	'serialize'                         => $run( static fn( $make ) => serialize( $make() ), 'never serialisable: it holds a credential; the article\'s fails as well, by a closure inside Guzzle' ),
	'isset and dynamic properties'      => $run(
		static function ( $make ) {
			$sync       = $make();
			$sync->note = 'mine';
			return [ $sync->note, isset( $sync->settings ), isset( $sync->note ) ];
		}
	),
	'a private property'                => $run( static fn( $make ) => $make()->settings, 'there are no such properties: nothing of the settings is kept where PHP can reach it' ),
	'comparison'                        => $run( static fn( $make ) => [ $make() === $make(), $make() instanceof \TenantCRMSync, get_class( $make() ), (bool) $make() ] ),
	'subclass: untyped overrides'       => $run(
		static fn() => ( new class( 'acme' ) extends \TenantCRMSync {
			public function fetch_leads( $last_sync_timestamp = null ) {
				return [ 'mine', parent::fetch_leads( $last_sync_timestamp ) ];
			}
			public function create_lead( array $lead_data ) {
				return parent::create_lead( $lead_data + [ 'via' => 'portal' ] );
			}
		} )->fetch_leads( 'x' )
	),
	'subclass: typed overrides'         => $run(
		static fn() => ( new class( 'acme' ) extends \TenantCRMSync {
			public function fetch_leads( mixed $last_sync_timestamp = null, bool $more = false ): array|false {
				return parent::fetch_leads( $last_sync_timestamp );
			}
			public function create_lead( array $lead_data ): mixed {
				return 1;
			}
		} )->fetch_leads()
	),
	'subclass: a constructor and properties of its own' => $run(
		static fn() => ( new class( 'acme', 'red' ) extends \TenantCRMSync {
			private $settings = [ 'mine' ];
			protected $client = 'mine';
			public function __construct( $tenant_id, public string $colour ) {
				parent::__construct( $tenant_id );
			}
			public function all() {
				return [ $this->settings, $this->client, $this->colour, $this->fetch_leads() ];
			}
		} )->all()
	),
	'subclass: the parent\'s constructor not called' => $run(
		static fn() => ( new class() extends \TenantCRMSync {
			public function __construct() {}
		} )->fetch_leads(),
		'both are errors of the subclass; ours says what is missing'
	),
	'subclass: clone with __clone'      => $run(
		static fn() => ( clone new class( 'acme' ) extends \TenantCRMSync {
			public $cloned = false;
			public function __clone() {
				$this->cloned = true;
			}
			public function fetch_leads( $last_sync_timestamp = null ) {
				return [ $this->cloned, parent::fetch_leads() ];
			}
		} )->fetch_leads()
	),
	'a mock by PHPUnit'                 => $run(
		static function () {
			require_once '/usr/share/php/PHPUnit/Autoload.php';
			$test = new class() extends \PHPUnit\Framework\TestCase {
				public function mocked() {
					$mock = $this->createMock( \TenantCRMSync::class );
					$mock->method( 'fetch_leads' )->willReturn( [ [ 'id' => 5 ] ] );
					$mock->expects( $this->once() )->method( 'create_lead' )->with( [ 'name' => 'Ann' ] )->willReturn( [ 'id' => 6 ] );
					$partial = $this->getMockBuilder( \TenantCRMSync::class )->setConstructorArgs( [ 'acme' ] )->onlyMethods( [ 'create_lead' ] )->getMock();
					$partial->method( 'create_lead' )->willReturn( false );
					return [ $mock->fetch_leads(), $mock->create_lead( [ 'name' => 'Ann' ] ), $partial->create_lead( [] ), $partial->fetch_leads(), $mock instanceof \TenantCRMSync ];
				}
			};
			return $test->mocked();
		}
	),
	'reflection: __construct'           => $run( static fn() => $describe( '__construct' ) ),
	'reflection: fetch_leads'           => $run( static fn() => $describe( 'fetch_leads' ) ),
	'reflection: create_lead'           => $run( static fn() => $describe( 'create_lead' ) ),
	'reflection: the class'             => $run(
		static function () {
			$class = new \ReflectionClass( 'TenantCRMSync' );
			return [ $class->getName(), $class->isFinal(), $class->isAbstract(), $class->isInstantiable(), $class->isCloneable(), $class->isIterable(), $class->getParentClass(), $class->getInterfaceNames(), $class->getTraitNames(), $class->getConstants(), $class->inNamespace() ];
		}
	),
	'reflection: made without the constructor' => $run(
		static fn() => ( new \ReflectionClass( 'TenantCRMSync' ) )->newInstanceWithoutConstructor() instanceof \TenantCRMSync
	),
	'two tenants side by side'          => [
		'crm'    => $list,
		'lookup' => static fn( $tenant ) => [ 'api_key' => 'a' === $tenant ? Site::KEY : 'other' ] + Site::$settings,
		'call'   => static function ( $make ) {
			[ $a, $b ] = [ $make( 'a' ), $make( 'b' ) ];
			return [ $a->fetch_leads(), $b->fetch_leads(), $a->fetch_leads() ];
		},
	],
];
