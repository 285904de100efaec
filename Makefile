# The seed's two commands, as the same things.
.PHONY: dev test
dev:
	npm ci && npm start
test:
	npm ci && npm test
