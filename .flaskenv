# `flask db ...` finds the application without --app
FLASK_APP=notify.app
