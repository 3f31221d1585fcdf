<?php
/** The sides that are compared: which plugin of the site's runs, with our extension or without, beside our plugin or not. */

declare(strict_types=1);

namespace TenantCRM\Tests\Article;

const SIDES = [
	'guzzle' => [ 'plugin' => 'article-guzzle', 'extension' => false, 'ours' => false, 'is' => "the article's code with its class, on Guzzle" ],
	'native' => [ 'plugin' => 'article', 'extension' => true, 'ours' => false, 'is' => "the article's code less its class, on our extension" ],
	'beside' => [ 'plugin' => 'article', 'extension' => true, 'ours' => true, 'is' => 'the same with our plugin active' ],
	'own'    => [ 'plugin' => 'crm-test', 'extension' => true, 'ours' => true, 'is' => "a site's code on our class and our plugin's functions" ],
];
