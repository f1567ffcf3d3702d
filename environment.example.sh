# Settings for scripts/*.sh: copy this to environment.sh, which is read at each start and never committed, and take away
# the # of what you need. docs/configuration.md lists every setting.

# -- where we are: development accepts published secrets and has the sandbox provider
# export NOTIFY_ENVIRONMENT=development
# export PORT=6011
# export NOTIFY_DATA_DIR=.notify

# -- your own PostgreSQL and Redis instead of those in the data folder
# export SQLALCHEMY_DATABASE_URI=postgresql://localhost/notification_api
# export REDIS_URL=redis://localhost:6379/0
# export REDIS_ENABLED=1

# -- a queue of your own: a prefix keeps the queues of several developers apart
# export NOTIFICATION_QUEUE_PREFIX=your-name-
# export BROKER_URL=https://sqs.eu-west-1.amazonaws.com
# export AWS_REGION=eu-west-1
# export AWS_ACCESS_KEY_ID=
# export AWS_SECRET_ACCESS_KEY=

# -- what encrypts the data (outside development; `openssl rand -hex 32`), and who may read the metrics
# export DATA_ENCRYPTION_KEYS=
# export METRICS_TOKEN=

# -- secrets that the admin app shares
# export SECRET_KEY=
# export DANGEROUS_SALT=
# export TOKEN_SECRET_KEY=
# export INTERNAL_CLIENT_API_KEYS='{"notify-admin": ["..."]}'
# export ADMIN_BASE_URL=http://localhost:6012

# -- providers, outside development; without any the sandbox pretends to send
# export MMG_API_KEY=
# export FIRETEXT_API_KEY=
# export FROM_NUMBER=development
# export SES_ENABLED=1
# export SMTP_URL=smtp://user:password@localhost:1025
