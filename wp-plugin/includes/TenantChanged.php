<?php
/**
 * The tenant was paused or its settings were changed while it was pulled. The batch is not stored; the next slice uses what is set now.
 *
 * @package TenantCRM
 */

namespace TenantCRM;

final class TenantChanged extends StoreException {
}
