<?php
/**
 * Class name to file. Written by bin/classmap.
 *
 * @package TenantCRM
 */

return array(
	'TenantCRM\\Admin\\Actions' => __DIR__ . '/Admin/Actions.php',
	'TenantCRM\\Admin\\Notices' => __DIR__ . '/Admin/Notices.php',
	'TenantCRM\\Admin\\OverviewPage' => __DIR__ . '/Admin/OverviewPage.php',
	'TenantCRM\\Admin\\Screens' => __DIR__ . '/Admin/Screens.php',
	'TenantCRM\\Admin\\TenantTable' => __DIR__ . '/Admin/TenantTable.php',
	'TenantCRM\\Admin\\Words' => __DIR__ . '/Admin/Words.php',
	'TenantCRM\\Capabilities' => __DIR__ . '/Capabilities.php',
	'TenantCRM\\Job' => __DIR__ . '/Job.php',
	'TenantCRM\\Jobs' => __DIR__ . '/Jobs.php',
	'TenantCRM\\Log' => __DIR__ . '/Log.php',
	'TenantCRM\\Migrations' => __DIR__ . '/Migrations.php',
	'TenantCRM\\Plugin' => __DIR__ . '/Plugin.php',
	'TenantCRM\\Rest\\Errors' => __DIR__ . '/Rest/Errors.php',
	'TenantCRM\\Rest\\RunResource' => __DIR__ . '/Rest/RunResource.php',
	'TenantCRM\\Rest\\SyncRoutes' => __DIR__ . '/Rest/SyncRoutes.php',
	'TenantCRM\\Runs' => __DIR__ . '/Runs.php',
	'TenantCRM\\Schema' => __DIR__ . '/Schema.php',
	'TenantCRM\\Sql' => __DIR__ . '/Sql.php',
	'TenantCRM\\Tenant' => __DIR__ . '/Tenant.php',
	'TenantCRM\\Tenants' => __DIR__ . '/Tenants.php',
	'TenantCRM\\Worker' => __DIR__ . '/Worker.php',
);
