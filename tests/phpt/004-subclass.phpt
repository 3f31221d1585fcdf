--TEST--
Subclasses: with_settings() gives the class it was called on, overrides, clones with errors of their own, no state without a constructor
--INI--
tenant_crm_sync.allow_http=1
tenant_crm_sync.allow_private_networks=1
--FILE--
<?php
require __DIR__ . '/inc.php';
class PortalSync extends TenantCRMSync {
	public int $calls = 0;
	protected $settings = 'mine';
	public function fetch_leads( $last_sync_timestamp = null ) {
		++$this->calls;
		return parent::fetch_leads( $last_sync_timestamp );
	}
	public function update_lead( $lead_id, array $lead_data, bool $quiet = false ): mixed {
		return parent::update_lead( $lead_id, $lead_data );
	}
	public static function mine(): static {
		return parent::with_settings( 'acme', [ 'api_key' => KEY, 'api_endpoint' => crm()->plain ] );
	}
}
final class DeepSync extends PortalSync {}
abstract class NoSync extends TenantCRMSync {}

tenant( 'acme', [ 'paging' => 'none' ] );
rows( [ [ 'id' => 1, 'name' => 'Ann', 'updated_at' => '2026-01-01T00:00:00Z' ] ] );
check( 'the class itself', 'TenantCRMSync', get_class( sync() ) );
check( 'a subclass', 'PortalSync', get_class( sync( 'acme', [], 'PortalSync' ) ) );
check( 'its subclass', 'DeepSync', get_class( sync( 'acme', [], 'DeepSync' ) ) );
check( 'through parent::', 'DeepSync', get_class( DeepSync::mine() ) );
check( 'by reflection', 'DeepSync', get_class( ( new ReflectionMethod( 'DeepSync', 'with_settings' ) )->invoke( null, 'acme', [ 'api_key' => KEY, 'api_endpoint' => crm()->plain ] ) ) === 'DeepSync' ? 'DeepSync' : 'TenantCRMSync' );
check( 'by callable', 'DeepSync', get_class( call_user_func( [ 'DeepSync', 'with_settings' ], 'acme', [ 'api_key' => KEY, 'api_endpoint' => crm()->plain ] ) ) );
check_throws( 'abstract', 'Error', 'Cannot instantiate abstract class NoSync', fn() => sync( 'acme', [], 'NoSync' ) );

$deep = DeepSync::mine();
check( 'it works', 'Ann', $deep->fetch_leads()[0]['name'] );
check( 'its property', 1, $deep->calls );
check( 'its constructor-less property', 'mine', ( fn() => $this->settings )->call( $deep ) );
check( 'throw_errors gives the same object', $deep, $deep->throw_errors() );
check_throws( 'failures throw', 'TenantCRMSync\HttpException', 'HTTP 404', fn() => $deep->get_lead( 99 ) );

$copy = clone $deep;
check( 'a clone counts for itself', [ 2, 1 ], [ ( $copy->fetch_leads() ? $copy->calls : 0 ), $deep->calls ] );
check_throws( 'a clone throws as well', 'TenantCRMSync\HttpException', 'HTTP 404', fn() => $copy->get_lead( 99 ) );
$copy->throw_errors( false );
check( 'a clone goes its own way', false, $copy->get_lead( 99 ) );
check( 'and has its own last error', [ 404, 404 ], [ $copy->last_error()['status'], $deep->last_error()['status'] ] );
$copy->fetch_leads();
check( 'each for itself', [ null, 404 ], [ $copy->last_error(), $deep->last_error()['status'] ?? null ] );

$empty = ( new ReflectionClass( 'DeepSync' ) )->newInstanceWithoutConstructor();
check_throws( 'no state', 'Error', 'constructor was not called', fn() => $empty->fetch_leads() );
check_throws( 'no state in a clone of it', 'Error', 'constructor was not called', fn() => ( clone $empty )->fetch_leads() );
check_throws( 'a batch is made by a pull alone', 'Error', '', fn() => ( new TenantCRMSync\Batch() )->count() );
check_throws( 'a pull is made by pull() alone', 'Error', '', fn() => ( new TenantCRMSync\Pull() )->rewind() );
foreach ( $deep->pull( 'leads' ) as $batch ) {
	check_throws( 'a batch is not cloned', 'Error', 'Trying to clone an uncloneable object of class TenantCRMSync\Batch', fn() => clone $batch );
}
check_throws( 'a pull is not cloned', 'Error', 'Trying to clone an uncloneable object of class TenantCRMSync\Pull', fn() => clone $deep->pull( 'leads' ) );
foreach ( [ 'Batch', 'Pull' ] as $final ) {
	$got = php( "<?php class Mine extends TenantCRMSync\\$final {}" );
	check_contains( "$final is final", 'final class', $got['out'] );
}
done();
--EXPECT--
34 checks hold
