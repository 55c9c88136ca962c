-- Most deliveries bear the token of the stack's own registry and belong to no webhook.
DROP INDEX deliveries_webhook;
CREATE INDEX deliveries_webhook ON deliveries(webhook_id, id) WHERE webhook_id IS NOT NULL;
