<?php
/**
 * The block's script on the page needs nothing; WordPress reads this beside block.json.
 *
 * @package TenantCRM
 */

defined( 'ABSPATH' ) || exit;

return array(
	'dependencies' => array(),
	'version'      => TenantCRM\Plugin::VERSION,
);
