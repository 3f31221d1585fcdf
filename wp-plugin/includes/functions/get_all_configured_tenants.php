<?php
/**
 * The article's function, on our table. Included by Article where the site has none of that name.
 *
 * @package TenantCRM
 */

/** @return list<string> */
function get_all_configured_tenants() {
	return \TenantCRM\Article::tenants();
}
