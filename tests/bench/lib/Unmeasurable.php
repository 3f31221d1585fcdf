<?php
/** The conditions for a measurement are not given: the message says which. */

declare(strict_types=1);

namespace TenantCRM\Bench;

final class Unmeasurable extends \RuntimeException {}
