<?php
/**
 * One record on its way into the portal.
 *
 * @package TenantCRM
 */

namespace TenantCRM;

final class Lead {

	/**
	 * @param string                $base       JSON of the mapped fields, as the CRM wrote them.
	 * @param array<string, string> $meta       By key, as it stands in the database.
	 * @param array<string, string> $projection
	 * @param string                $revision   The CRM's own time of the last change, as it wrote it.
	 */
	public function __construct(
		public readonly string $id,
		public readonly string $hash,
		public readonly string $fingerprint,
		public readonly string $base,
		public readonly string $title,
		public readonly array $meta,
		public readonly array $projection,
		public readonly string $revision,
		public readonly ?string $created_at,
		public readonly ?string $updated_at
	) {
	}

	/** UTC. A lead from the future would be a scheduled post. */
	public function post_date( string $now ): string {
		return null !== $this->created_at && $this->created_at < $now ? $this->created_at : $now;
	}

	/**
	 * @param Tenant $tenant
	 * @return array<string, string> The meta of its post, in the article's order.
	 */
	public function post_meta( Tenant $tenant ): array {
		return array(
			'_tenant_id'  => $tenant->id,
			'crm_lead_id' => $this->id,
		) + $this->meta;
	}
}
