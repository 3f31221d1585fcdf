<?php
/**
 * What there is to ask for: what the site itself lists (routes, screens, form actions, feeds), each filled in with the things of both tenants, and
 * WordPress's own ways to posts. A route with a part that nobody can fill in ends the crawl: give it a sample here.
 */

declare(strict_types=1);

namespace TenantCRM\Tests\Crawl;

final class Targets {

	private const OURS = '/tenant-crm-sync/v1';

	/** The site's own type, as open as can be. */
	private const OPEN = array( 'X-Tcs-Type: public' );

	/** @param array<string, mixed> $listed By plugin.php. */
	public function __construct( private readonly array $listed, private readonly Fixtures $fixtures ) {
	}

	/** @return list<Target> By the name and password of the user of A, who asks for what is B's. */
	private function xmlrpc(): array {
		$ids     = $this->fixtures->ids['b'];
		$login   = array( 1, 'tcs-crawl-a', 'crawl-a-Pass-1' );
		$targets = array();
		foreach ( array( 'wp.getPosts' => array( array( 'post_type' => 'crm_lead', 'number' => 50 ) ), 'wp.getPost' => array( $ids['post'] ), 'wp.getComments' => array( array( 'post_id' => $ids['post'] ) ), 'wp.getComment' => array( $ids['comment'] ), 'wp.getMediaItem' => array( $ids['file'] ), 'wp.getMediaLibrary' => array( array( 'number' => 50 ) ), 'wp.editPost' => array( $ids['post'], array( 'post_title' => 'taken over' ) ), 'wp.deletePost' => array( $ids['post'] ) ) as $method => $arguments ) {
			$values = implode( '', array_map( static fn( $value ): string => '<param><value>' . self::xml( $value ) . '</value></param>', array_merge( $login, $arguments ) ) );
			$targets[] = new Target( "xmlrpc $method", '/xmlrpc.php', 'POST', "<?xml version=\"1.0\"?><methodCall><methodName>$method</methodName><params>$values</params></methodCall>", array_merge( self::OPEN, array( 'Content-Type: text/xml' ) ), array( 'a' ), false );
		}
		return $targets;
	}

	/** @param mixed $value */
	private static function xml( $value ): string {
		if ( is_array( $value ) ) {
			return '<struct>' . implode( '', array_map( static fn( $name, $item ): string => "<member><name>$name</name><value>" . self::xml( $item ) . '</value></member>', array_keys( $value ), $value ) ) . '</struct>';
		}
		return is_int( $value ) ? "<int>$value</int>" : "<string>$value</string>";
	}

	/** @return list<Target> What only looks. */
	public function looks(): array {
		return array_merge( $this->routes( true ), $this->xmlrpc(), $this->screens(), $this->actions_without_nonce(), $this->feeds(), $this->front(), $this->core_routes(), $this->core_screens() );
	}

	/** @return list<Target> What would change something of tenant B, past all nonces. */
	public function changes( array $for ): array {
		return array_merge( $this->core_changes( $for ), $this->routes( false, $for ), $this->actions( $for ), $this->forms( $for ) );
	}

	/** @return list<string> Routes of ours without permission or schema. */
	public function careless(): array {
		$careless = array();
		foreach ( $this->listed['routes'] as list( $method, $route, $has_permission, $has_schema ) ) {
			// WordPress makes the index itself, and figures for machines are text.
			if ( str_starts_with( $route, self::OURS . '/' ) && ( ! $has_permission || ( ! $has_schema && self::OURS . '/metrics' !== $route ) ) ) {
				$careless[] = "$method $route";
			}
		}
		return $careless;
	}

	/** @return list<Target> */
	private function routes( bool $reads, array $for = Visitors::NAMES ): array {
		$targets = array();
		foreach ( $this->listed['routes'] as list( $method, $route ) ) {
			$is_read = in_array( $method, array( 'GET', 'HEAD', 'OPTIONS' ), true );
			if ( ! str_starts_with( $route, self::OURS ) || $is_read !== $reads || 'PUT' === $method ) {
				continue;
			}
			foreach ( array( 'a', 'b' ) as $whose ) {
				$path = $this->fill( $route, $whose );
				$has  = $path !== $route;
				if ( ( ! $has && 'a' === $whose && $reads ) || ( ! $reads && 'a' === $whose ) ) {
					continue;
				}
				$name      = "$method " . preg_replace( '/\(\?P<(\w+)>[^)]*\)/', '{$1}', $route ) . ( $has && $reads ? ' of ' . strtoupper( $whose ) : '' );
				$targets[] = new Target( $name, "/wp-json$path", $method, $reads ? null : (string) json_encode( $this->body( $route ) ), array( 'Content-Type: application/json' ), $for );
			}
		}
		if ( $reads ) {
			$key       = $this->fixtures->ids['b']['tenant'];
			$targets[] = new Target( 'GET /leads?tenant=B', '/wp-json' . self::OURS . "/leads?tenant=$key&search=canary" );
			$targets[] = new Target( 'GET /portal/leads?tenant=B', '/wp-json' . self::OURS . "/portal/leads?tenant=$key" );
			$targets[] = new Target( 'GET /conflicts?tenant=B', '/wp-json' . self::OURS . "/conflicts?tenant=$key" );
			$targets[] = new Target( 'GET /tenants?context=edit', '/wp-json' . self::OURS . '/tenants?context=edit' );
			$targets[] = new Target( 'GET /tenants?id=B', '/wp-json' . self::OURS . '/tenants?id=crawl-b' );
			$targets[] = new Target( 'POST /webhook/{wrong}', '/wp-json' . self::OURS . '/webhook/' . str_repeat( 'x', 43 ), 'POST', '{}' );
			$targets[] = new Target( 'POST /webhook/{right}, unsigned', '/wp-json' . self::OURS . '/webhook/' . end( $this->fixtures->canaries['SECRET'] ), 'POST', '{}' );
		}
		return $targets;
	}

	/** Puts one tenant's things into a route's pattern. */
	private function fill( string $route, string $whose ): string {
		$ids   = $this->fixtures->ids[ $whose ];
		$known = array(
			'run' => $ids['run'],
			'key' => $ids['tenant'],
			'id'  => str_contains( $route, '/conflicts' ) ? $ids['conflict'] : $ids['lead'],
		);
		return (string) preg_replace_callback(
			'/\(\?P<(\w+)>[^)]*\)/',
			static fn( array $match ): string => (string) ( $known[ $match[1] ] ?? throw new \LogicException( "What is \"$match[1]\" in the route $route? Say so in Targets::fill()." ) ),
			$route
		);
	}

	/** @return array<string, mixed> What would do something, were it allowed. */
	private function body( string $route ): array {
		$ids = $this->fixtures->ids['b'];
		return ( str_ends_with( $route, '/tenants' ) ? array( 'id' => 'crawl-new' ) : array() ) + array(
			'tenant'  => 'crawl-b',
			'label'   => 'taken over',
			'force'   => true,
			'paused'  => true,
			'choice'  => 'portal',
			'seconds' => 1,
			'fields'  => array( 'name' => 'taken over' ),
			'rows'    => array( 'crm-' . $ids['refused'] ),
		);
	}

	/** @return list<Target> */
	private function screens(): array {
		$targets = array();
		foreach ( $this->listed['screens'] as $slug ) {
			$targets[] = new Target( "screen $slug", "/wp-admin/admin.php?page=$slug" );
			foreach ( array( 'a', 'b' ) as $whose ) {
				$targets[] = new Target( "screen $slug of " . strtoupper( $whose ), "/wp-admin/admin.php?page=$slug&tenant={$this->fixtures->ids[ $whose ]['tenant']}&s=canary" );
			}
		}
		return $targets;
	}

	/** @return list<Target> Form actions as another site would have a browser send them. */
	private function actions_without_nonce(): array {
		$targets = array();
		foreach ( $this->listed['actions'] as $hook ) {
			list( $path, $name, $action ) = self::action( $hook );
			$targets[]                    = new Target( "GET $name", "$path?action=$action" );
			$targets[]                    = new Target( "POST $name without a nonce", $path, 'POST', $this->form( $action ) );
		}
		return $targets;
	}

	/** @return list<Target> The same as if every nonce were good. */
	private function actions( array $for ): array {
		$targets = array();
		foreach ( $this->listed['actions'] as $hook ) {
			list( $path, $name, $action ) = self::action( $hook );
			$targets[]                    = new Target( "POST $name", $path, 'POST', $this->form( $action ), array( 'X-Tcs-Nonces: open' ), $for );
		}
		return $targets;
	}

	/** @return list<Target> Forms that screens handle themselves, and the settings; nobody lists what they do, so these are what rows can be asked for. */
	private function forms( array $for ): array {
		$targets = array();
		$open    = array( 'X-Tcs-Nonces: open' );
		foreach ( $this->listed['screens'] as $slug ) {
			foreach ( array( 'crm', 'retry', 'drop' ) as $action ) {
				$targets[] = new Target( "form $action on $slug", "/wp-admin/admin.php?page=$slug&tenant={$this->fixtures->ids['b']['tenant']}", 'POST', $this->form( $action ), $open, $for );
			}
		}
		foreach ( $this->listed['settings'] as $group ) {
			$targets[] = new Target( "settings $group", '/wp-admin/options.php', 'POST', http_build_query( array( 'option_page' => $group, 'action' => 'update', '_wpnonce' => 'x', 'tenant_crm_sync' => array( 'x' => 'y' ) ) ), $open, $for );
		}
		$targets[] = new Target( 'own tenants on the own profile', '/wp-admin/profile.php', 'POST', http_build_query( array( 'action' => 'update', '_wpnonce' => 'x', 'user_id' => $this->fixtures->users[ $for[0] ] ?? 0, 'tenant-crm-user' => 'x', 'tenant_crm_tenants' => array( $this->fixtures->ids['b']['tenant'], $this->fixtures->ids['a']['tenant'] ), 'email' => 'taken@example.test', 'nickname' => 'x' ) ), $open, $for, false );
		return $targets;
	}

	/** @return array{0: string, 1: string, 2: string} Path, name and action. */
	private static function action( string $hook ): array {
		preg_match( '/^(admin_post|wp_ajax)_(nopriv_)?(.+)$/', $hook, $match );
		return array( 'wp_ajax' === $match[1] ? '/wp-admin/admin-ajax.php' : '/wp-admin/admin-post.php', ( 'wp_ajax' === $match[1] ? 'ajax ' : 'action ' ) . $match[3] . ( '' === $match[2] ? '' : ' (for visitors)' ), $match[3] );
	}

	/** Every field that one of our forms has, about tenant B. */
	private function form( string $action ): string {
		$ids = $this->fixtures->ids['b'];
		return http_build_query(
			array(
				'action'    => $action,
				'_wpnonce'  => 'forged',
				'tenant'    => $ids['tenant'],
				'key'       => $ids['tenant'],
				'letter'    => $ids['run'],
				'run'       => $ids['run'],
				'id'        => $ids['conflict'],
				'all'       => $action,
				'ids'       => array( $ids['conflict'] ),
				'rows'      => array( "crm-{$ids['refused']}", (string) $ids['conflict'] ),
				'row'       => "crm-{$ids['refused']}",
				'conflict'  => $ids['conflict'],
				'post'      => $ids['post'],
				'tenant_id' => 'crawl-b',
				'did'       => 'x',
			)
		);
	}

	/** @return list<Target> */
	private function feeds(): array {
		$targets = array();
		foreach ( $this->listed['feeds'] as $feed ) {
			$targets[] = new Target( "feed $feed", "/feed/$feed/?post_type=crm_lead", 'GET', null, self::OPEN, Visitors::NAMES, false );
		}
		$targets[] = new Target( 'feed of comments', '/comments/feed/', 'GET', null, self::OPEN, Visitors::NAMES, false );
		foreach ( array( 'a', 'b' ) as $whose ) {
			$targets[] = new Target( 'feed of comments on the lead of ' . strtoupper( $whose ), "/crm_lead/{$this->slug( $whose )}/feed/", 'GET', null, self::OPEN, Visitors::NAMES, false );
		}
		$targets[] = new Target( 'feed of a search', '/?s=canary&feed=rss2', 'GET', null, self::OPEN, Visitors::NAMES, false );
		return $targets;
	}

	/** @return list<Target> Addresses that visitors type, guess or find. */
	private function front(): array {
		$paths = array(
			'front page'                   => '/',
			'search'                       => '/?s=canary',
			'search of leads'              => '/?s=canary&post_type=crm_lead',
			'archive of leads'             => '/crm_lead/',
			'a page with all blocks'       => $this->page(),
			'guessed address'              => '/address-of-b-',
			'sitemap'                      => '/wp-sitemap.xml',
			'sitemap of leads'             => '/wp-sitemap-posts-crm_lead-1.xml',
			'query of all types'           => '/?post_type=any&s=canary',
			'query of attachments'         => '/?post_type=attachment&post_status=inherit',
		);
		foreach ( array( 'a', 'b' ) as $whose ) {
			$of     = ' of ' . strtoupper( $whose );
			$ids    = $this->fixtures->ids[ $whose ];
			$slug   = $this->slug( $whose );
			$paths += array(
				"lead$of"                       => "/crm_lead/$slug/",
				"lead by number$of"             => "/?post_type=crm_lead&p={$ids['post']}",
				"lead by number alone$of"       => "/?p={$ids['post']}",
				"lead in preview$of"            => "/?post_type=crm_lead&p={$ids['post']}&preview=true",
				"lead embedded$of"              => "/crm_lead/$slug/embed/",
				"lead by its old address$of"    => "/crm_lead/old-slug-$whose/",
				"lead as a trackback$of"        => "/crm_lead/$slug/trackback/",
				"attachment$of"                 => "/?attachment_id={$ids['file']}",
			);
		}
		$targets = array();
		foreach ( $paths as $name => $path ) {
			$targets[] = new Target( "front: $name", $path, 'GET', null, self::OPEN, Visitors::NAMES, false );
		}
		$targets[] = new Target( 'front: a page with all blocks, our own type', $this->page(), 'GET', null, array(), Visitors::NAMES, false );
		$targets[] = new Target( 'front: search, our own type', '/?s=canary&post_type=crm_lead', 'GET', null, array(), Visitors::NAMES, false );
		return $targets;
	}

	/** The lead's name in addresses. It comes back with every answer that repeats what was asked for, so it is no canary; its end is. */
	private function slug( string $whose ): string {
		return (string) get_post_field( 'post_name', $this->fixtures->ids[ $whose ]['post'] );
	}

	private function page(): string {
		return (string) wp_parse_url( (string) get_permalink( $this->fixtures->page ), PHP_URL_PATH );
	}

	/** @return list<Target> WordPress's own routes: all lists, and what leads to one post, comment or file. */
	private function core_routes(): array {
		$paths = array();
		foreach ( $this->listed['routes'] as list( $method, $route ) ) {
			// The directories of blocks and patterns are on another server, and tests of the site's health ask the site itself.
			if ( 'GET' === $method && ! str_starts_with( $route, self::OURS ) && ! str_contains( $route, '(' ) && ! preg_match( '~block-directory|pattern-directory|wp-site-health|url-details~', $route ) ) {
				$paths[] = $route;
			}
		}
		$paths[] = '/wp/v2/crm_lead?per_page=100&status=any';
		$paths[] = '/wp/v2/crm_lead?search=canary';
		$paths[] = '/wp/v2/search?search=canary&per_page=100';
		$paths[] = '/wp/v2/posts?search=canary';
		foreach ( array( 'a', 'b' ) as $whose ) {
			$ids  = $this->fixtures->ids[ $whose ];
			$url  = rawurlencode( home_url( "/crm_lead/{$this->slug( $whose )}/" ) );
			array_push( $paths, "/wp/v2/crm_lead/{$ids['post']}?_=$whose", "/wp/v2/crm_lead/{$ids['post']}?context=edit&_=$whose", "/wp/v2/crm_lead/{$ids['post']}/revisions?_=$whose", "/wp/v2/crm_lead/{$ids['post']}/autosaves?_=$whose", "/wp/v2/posts/{$ids['post']}?_=$whose", "/wp/v2/comments?post={$ids['post']}&_=$whose", "/wp/v2/comments/{$ids['comment']}?_=$whose", "/wp/v2/media/{$ids['file']}?_=$whose", "/wp/v2/media?parent={$ids['post']}&_=$whose", "/oembed/1.0/embed?url=$url&_=$whose", '/oembed/1.0/embed?url=' . rawurlencode( home_url( "/?p={$ids['post']}" ) ) . "&_=$whose-number" );
		}
		$targets = array();
		foreach ( array_unique( $paths ) as $path ) {
			$targets[] = new Target( 'GET ' . preg_replace( array( '~(?<=[/=])\d+(?=[/?&]|$)~', '/url=[^&]*&_=/', '/[?&]_=/' ), array( '{n}', 'url=…&_=', ' of ' ), $path ), "/wp-json$path", 'GET', null, self::OPEN, Visitors::NAMES, false );
		}
		return $targets;
	}

	/** @return list<Target> */
	private function core_screens(): array {
		$paths = array( 'index.php', 'edit.php', 'edit.php?post_type=crm_lead', 'edit.php?post_type=crm_lead&s=canary', 'edit-comments.php', 'upload.php?mode=list', 'profile.php', 'users.php', 'site-health.php?tab=debug', 'export.php?download=true&content=all', 'export.php?download=true&content=crm_lead', 'plugins.php', 'options.php', 'nav-menus.php' );
		foreach ( array( 'a', 'b' ) as $whose ) {
			$ids = $this->fixtures->ids[ $whose ];
			array_push( $paths, "post.php?post={$ids['post']}&action=edit&_=$whose", "comment.php?action=editcomment&c={$ids['comment']}&_=$whose", "post.php?post={$ids['file']}&action=edit&_=$whose-file" );
		}
		$targets = array();
		foreach ( $paths as $path ) {
			$name = preg_replace( array( '~(?<=[/=])\d+(?=[/?&]|$)~', '/[?&]_=/' ), array( '{n}', ' of ' ), $path );
			$targets[] = new Target( "wp-admin/$name", "/wp-admin/$path", 'GET', null, self::OPEN, Visitors::NAMES, false );
			if ( preg_match( '/crm_lead|post\.php/', $path ) ) {
				$targets[] = new Target( "wp-admin/$name, our own type", "/wp-admin/$path", 'GET', null, array(), Visitors::NAMES, false );
			}
		}
		return $targets;
	}

	/** @return list<Target> WordPress's own ways that are asked by POST, about tenant B. */
	private function core_changes( array $for ): array {
		$ids     = $this->fixtures->ids['b'];
		$open    = array_merge( self::OPEN, array( 'X-Tcs-Nonces: open' ) );
		$targets = array();
		$forms   = array(
			'wp-link-ajax'      => array( 'search' => 'canary', '_ajax_linking_nonce' => 'x' ),
			'find_posts'        => array( 'ps' => 'canary' ),
			'query-attachments' => array( 'query' => array( 's' => 'canary', 'posts_per_page' => 50 ) ),
			'menu-quick-search' => array( 'type' => 'quick-search-posttype-crm_lead', 'q' => 'canary', 'response-format' => 'json' ),
			'inline-save'       => array( 'post_ID' => $ids['post'], 'post_type' => 'crm_lead', 'screen' => 'edit-crm_lead', 'post_title' => 'taken over' ),
			'get-permalink'     => array( 'post_id' => $ids['post'] ),
			'sample-permalink'  => array( 'post_id' => $ids['post'], 'new_title' => 'x' ),
			'delete-post'       => array( 'id' => $ids['post'] ),
			'trash-post'        => array( 'id' => $ids['post'] ),
			'delete-meta'       => array( 'id' => 1 ),
			'add-meta'          => array( 'post_id' => $ids['post'], 'metakeyinput' => 'phone', 'metavalue' => 'taken over' ),
			'delete-comment'    => array( 'id' => $ids['comment'], 'trash' => 1 ),
			'replyto-comment'   => array( 'comment_post_ID' => $ids['post'], 'content' => 'x', 'mode' => 'dashboard' ),
			'get-comments'      => array( 'p' => $ids['post'] ),
			'get-attachment'    => array( 'id' => $ids['file'] ),
			'save-attachment'   => array( 'id' => $ids['file'], 'changes' => array( 'title' => 'taken over' ) ),
		);
		// What B may do to its own would be in the way of what B looks at meanwhile.
		$looks = array( 'wp-link-ajax', 'find_posts', 'query-attachments', 'get-permalink', 'sample-permalink', 'get-comments', 'get-attachment' );
		foreach ( array( 'b' ) === $for ? array_intersect_key( $forms, array_flip( $looks ) ) : $forms as $action => $form ) {
			$targets[] = new Target( "ajax $action", '/wp-admin/admin-ajax.php', 'POST', http_build_query( array( 'action' => $action, '_wpnonce' => 'x', '_ajax_nonce' => 'x' ) + $form ), $open, $for, false );
		}
		foreach ( array( 'b' ) === $for ? array() : array( 'PATCH' => '{"title":"taken over","meta":{"phone":"x"}}', 'DELETE' => '{"force":true}' ) as $method => $body ) {
			$targets[] = new Target( "$method /wp/v2/crm_lead/{n}", "/wp-json/wp/v2/crm_lead/{$ids['post']}", $method, $body, array_merge( $open, array( 'Content-Type: application/json' ) ), $for, false );
		}
		return $targets;
	}
}
