<?php
/**
 * What the block's script in the editor needs; WordPress reads this beside block.json.
 *
 * @package TenantCRM
 */

defined( 'ABSPATH' ) || exit;

return array(
	'dependencies' => array( 'wp-blocks', 'wp-block-editor', 'wp-components', 'wp-element', 'wp-i18n' ),
	'version'      => TenantCRM\Plugin::VERSION,
);
